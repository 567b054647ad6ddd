/** A mistyped option would be silently without effect. */
export function refuseUnknown(options: object, known: ReadonlySet<string>, what: string): void {
  for (const name of Object.keys(options)) {
    if (known.has(name)) continue;
    throw new TypeError(`${what} has no option ${name}; it has ${[...known].join(', ')}`);
  }
}
