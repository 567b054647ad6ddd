/**
 * A rejection that comes in a microtask: whoever awaits it has said so by then, and Node need not
 * note it as unhandled and take that back, which costs more than the error itself.
 */
export async function rejection(error: unknown): Promise<never> {
  await undefined;
  throw error;
}
