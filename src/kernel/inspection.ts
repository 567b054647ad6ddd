const CUSTOM = Symbol.for('nodejs.util.inspect.custom');

/**
 * Makes `console.log` show instances as their `toJSON` says. Private fields print as nothing, and
 * internal ones as everything; neither helps who looks for his first mistake.
 */
export function printAsJson(prototype: { toJSON(): unknown }): void {
  Object.defineProperty(prototype, CUSTOM, {
    value(this: { toJSON(): unknown }) {
      return this.toJSON();
    },
  });
}
