import type { Contract } from '../message/contract.ts';
import type { Pattern } from '../message/pattern.ts';

/** What an agent serves. */
export interface Served {
  readonly agent: string;
  readonly pattern: Pattern;
}

/** All that can be asked for on a bus, as somebody who asks sees it. */
export interface ServedView {
  readonly contract: Contract | undefined;
  /** Whether he may ask on the topic; a restricted handle and the rules of the bus have a say. */
  mayAsk(topic: string): boolean;
  /** In the order in which the agents came. */
  all(filter: { readonly agent?: string; readonly capability?: string }): Iterable<Served>;
}

// Registered, so that it also works between two copies of the library.
const SERVED = Symbol.for('tellask.served');

/** Lets {@link servedBy} find what can be asked with what a class makes, with no member for all to see. */
export function showServed<T extends object>(prototype: T, read: (of: T) => ServedView): void {
  Object.defineProperty(prototype, SERVED, {
    get(this: T): ServedView {
      return read(this);
    },
    configurable: true,
  });
}

/** What can be asked for with a bus, a handle or a context; undefined for anything else. */
export function servedBy(voice: unknown): ServedView | undefined {
  return (voice as { readonly [SERVED]?: ServedView } | null | undefined)?.[SERVED];
}
