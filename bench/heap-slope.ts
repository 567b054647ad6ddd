const few = 10_000;
const many = 60_000;

/** Makes so many of a thing and returns what keeps them alive. */
export type Make = (count: number) => Promise<unknown>;

/** Bytes on the heap while what `make` returns is alive. Needs `--expose-gc`. */
async function bytesOf(make: Make, count: number): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  const held = await make(count);
  globalThis.gc();
  const after = process.memoryUsage().heapUsed;
  return held === undefined ? Number.NaN : after - before;
}

/**
 * Bytes that one more costs: the slope between 10 000 and 60 000, in which everything that is
 * made once cancels out.
 */
export async function heapSlope(make: Make): Promise<number> {
  return ((await bytesOf(make, many)) - (await bytesOf(make, few))) / (many - few);
}
