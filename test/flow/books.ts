import { expect } from 'vitest';
import type { AnyContract, ContractShape, MessageBus } from '../../src/index.ts';

/** The equation of the books: every admitted delivery is in exactly one state. */
export function expectBalanced<C extends ContractShape = AnyContract>(bus: MessageBus<C>): void {
  const books = bus.inspect();
  const { waiting, queued, inFlight, deferred, retryWait } = books;
  const { handled, deadLettered, expired, cancelled } = books;
  const open = [waiting, queued, inFlight, deferred, retryWait];
  const ended = handled + deadLettered + expired + cancelled;
  expect(open.every((count) => count >= 0)).toBe(true);
  expect(open.reduce((sum, count) => sum + count, ended)).toBe(books.admitted);
}

/** A promise that a test settles, for handlers that wait for it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A handler that never ends, whatever it is told. */
export function hang(): Promise<never> {
  return new Promise(() => {});
}

/** What a promise became, without an unhandled rejection. */
export function outcomeOf(promise: Promise<unknown>): { now(): unknown } {
  let state: unknown = 'pending';
  promise.then(
    (value) => {
      state = { value };
    },
    (error: unknown) => {
      state = { error };
    },
  );
  return { now: () => state };
}

/** The code of what a call throws, or undefined. */
export function codeOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
  return undefined;
}
