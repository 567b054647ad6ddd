/** `instanceof` for what user code has thrown: a proxy that throws when it is looked at is nothing. */
export function isA<T>(value: unknown, kind: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof kind;
  } catch {
    return false;
  }
}
