import { misuse } from '../kernel/errors.ts';
import type { Store, Write } from '../stores/store.ts';

/** What a store can be asked for. */
export type StoreCall = 'get' | 'scan' | 'read' | 'commit' | 'close';

/** One call of a store, as a plan of faults sees it. */
export interface StoreOperation {
  readonly call: StoreCall;
  /** The how many-th call of this name it is, from 1. */
  readonly nth: number;
  /** What a commit is to write; none for the other calls. */
  readonly writes: readonly Write[];
}

/** What goes wrong, and at which calls: at all of that name unless `nth` or `where` say less. */
export interface StoreFault {
  readonly on: StoreCall;
  /** Only at the how many-th call of that name, from 1. */
  readonly nth?: number;
  /** Only at the calls of which this says true. */
  readonly where?: (operation: StoreOperation) => boolean;
  /** `before` has no effect; after `after` it is done, though the caller is not told. */
  readonly when: 'before' | 'after';
  /** `fail` rejects with `error`; `hang` never settles. */
  readonly fault: 'fail' | 'hang';
  /** @default an Error that says which call it was */
  readonly error?: unknown;
}

/**
 * A store in front of `inner` that fails or hangs as planned; the first fault that fits a call
 * counts. It has no clock and no chance of its own, so the same calls get the same faults.
 *
 * @example
 * ```ts
 * import { MemoryStore } from 'tellask';
 * import { faultyStore } from 'tellask/testing';
 * const inner = new MemoryStore();
 * const store = faultyStore(inner, [{ on: 'commit', nth: 1, when: 'after', fault: 'fail' }]);
 * const error = await store.commit([{ key: 'a', value: '1' }]).catch((reason: Error) => reason);
 * (error as Error).message; // => 'commit 1 failed after it was done, as planned'
 * (await inner.get('a'))?.value; // => '1'
 * ```
 */
export function faultyStore(inner: Store, faults: readonly StoreFault[]): Store {
  if (!Array.isArray(faults)) throw misuse('The faults of a store', 'an array', faults);
  const counts = new Map<StoreCall, number>();
  return intercepted(inner, async (call, writes, work) => {
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    const fault = faults.find((planned) => fits(planned, { call, nth, writes }));
    if (fault?.when === 'before') return goWrong(fault, `${call} ${nth} failed before it was done`);
    const result = await work();
    if (fault !== undefined) return goWrong(fault, `${call} ${nth} failed after it was done`);
    return result;
  });
}

function fits(fault: StoreFault, operation: StoreOperation): boolean {
  if (fault.on !== operation.call) return false;
  if (fault.nth !== undefined && fault.nth !== operation.nth) return false;
  return fault.where === undefined || fault.where(operation);
}

function goWrong(fault: StoreFault, what: string): Promise<never> {
  if (fault.fault === 'hang') return never();
  return Promise.reject('error' in fault ? fault.error : new Error(`${what}, as planned`));
}

/** A promise that does not settle, as an answer that is lost. */
export function never(): Promise<never> {
  return new Promise(() => {});
}

/** Goes around every call of a store. */
type Intercept = <T>(
  call: StoreCall,
  writes: readonly Write[],
  work: () => Promise<T>,
) => Promise<T>;

/** A store all of whose calls go through `intercept`. */
export function intercepted(inner: Store, intercept: Intercept): Store {
  return {
    get: (key) => intercept('get', [], () => inner.get(key)),
    scan: (prefix, options) => intercept('scan', [], () => inner.scan(prefix, options)),
    read: (options) => intercept('read', [], () => inner.read(options)),
    commit: (writes) => intercept('commit', writes, () => inner.commit(writes)),
    close: () => intercept('close', [], () => inner.close()),
  };
}
