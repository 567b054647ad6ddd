import { misuse } from '../kernel/errors.ts';
import type { Store } from '../stores/store.ts';
import { intercepted, never } from './faulty-store.ts';

/** On which side of a commit a process dies. */
export type StopSide = 'before' | 'after';

/** A store as a process sees it that dies at one of its commits. */
export interface StoppingStore extends Store {
  /** Whether the process has died. */
  readonly stopped: boolean;
  /** Commits that were begun, the one at which it stopped included. */
  readonly commits: number;
  /** Resolves when it stops; never when it does not. */
  readonly whenStopped: Promise<void>;
}

/**
 * A store in front of `inner` that stops at commit `n`, before it is done or after: neither this
 * call nor any other settles from then on, and none reaches `inner`, as if the process had died.
 * What is in `inner` is what a new process would find. `Infinity` never stops and counts commits.
 *
 * @example
 * ```ts
 * import { MemoryStore } from 'tellask';
 * import { stopAtCommit } from 'tellask/testing';
 * const inner = new MemoryStore();
 * const store = stopAtCommit(inner, 2, 'before');
 * await store.commit([{ key: 'a', value: '1' }]);
 * void store.commit([{ key: 'a', value: '2' }]);
 * await store.whenStopped;
 * (await inner.get('a'))?.value; // => '1'
 * ```
 */
export function stopAtCommit(inner: Store, n: number, side: StopSide): StoppingStore {
  if (n !== Infinity && (!Number.isSafeInteger(n) || n < 1))
    throw new RangeError(misuse('n', 'an integer from 1, or Infinity', n).message);
  let commits = 0;
  let stopped = false;
  let tell = (): void => {};
  const whenStopped = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const stop = (): Promise<never> => {
    stopped = true;
    tell();
    return never();
  };
  const store = intercepted(inner, async (call, _writes, work) => {
    if (stopped) return never();
    if (call === 'commit') commits += 1;
    const last = call === 'commit' && commits === n;
    if (last && side === 'before') return stop();
    const result = await settled(work());
    // Whatever was under way when it died is not told to anybody either.
    if (stopped) return never();
    return last ? stop() : result();
  });
  return {
    ...store,
    get stopped() {
      return stopped;
    },
    get commits() {
      return commits;
    },
    whenStopped,
  };
}

/** The outcome of a promise, to be looked at later. */
function settled<T>(promise: Promise<T>): Promise<() => T> {
  return promise.then(
    (value) => () => value,
    (error: unknown) => () => {
      throw error;
    },
  );
}
