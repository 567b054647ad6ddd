/** The place that these keys lead to, as a JSON pointer (RFC 6901): `/hits/0/url`. */
export function pointerTo(keys: readonly PropertyKey[]): string {
  return keys.map((key) => `/${escapeKey(String(key))}`).join('');
}

/** A key as a part of a JSON pointer. */
export function escapeKey(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
