import type { Env } from './env.ts';

// Registered, so that it also works between two copies of the library.
const ENV = Symbol.for('tellask.env');

/** Lets {@link envOf} find the Env of what a class makes, with no member for everyone to see. */
export function showEnv<T extends object>(prototype: T, read: (of: T) => Env): void {
  Object.defineProperty(prototype, ENV, {
    get(this: T): Env {
      return read(this);
    },
    configurable: true,
  });
}

/** The Env on which a bus, a handle or a context runs; undefined for anything else. */
export function envOf(voice: unknown): Env | undefined {
  return (voice as { readonly [ENV]?: Env } | null | undefined)?.[ENV];
}
