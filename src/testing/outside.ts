import type { Lane } from '../kernel/env.ts';

/** How work outside of the bus ended. */
type End<T> =
  | { readonly failed: false; readonly value: T }
  | { readonly failed: true; readonly error: unknown };

/** What comes from outside of the bus, and the lane on which whoever waits for it goes on. */
class OutsideWork<T> implements Lane {
  readonly kind = 'external' as const;
  /** Behind what the bus has to do by itself. */
  readonly order = Infinity;
  readonly label: string;
  posted = false;
  /** Resolves, in real time, when it has ended in whatever way. */
  readonly over: Promise<void>;
  readonly promise: Promise<T>;
  #end: End<T> | undefined;
  #resolve!: (value: T) => void;
  #reject!: (reason: unknown) => void;

  constructor(work: PromiseLike<T>, label: string) {
    this.label = label;
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.over = Promise.resolve(work).then(
      (value) => {
        this.#end = { failed: false, value };
      },
      (error: unknown) => {
        this.#end = { failed: true, error };
      },
    );
  }

  run(): void {
    const end = this.#end as End<T>;
    if (end.failed) this.#reject(end.error);
    else this.#resolve(end.value);
  }
}

/**
 * Work that the simulation waits for in real time. It waits for all of it before anybody goes on,
 * so that the order in which real work ends decides nothing.
 */
export class OutsideWorks {
  readonly #open = new Set<OutsideWork<unknown>>();

  add<T>(work: PromiseLike<T>, label: string): Promise<T> {
    const outside = new OutsideWork(work, label);
    this.#open.add(outside as OutsideWork<unknown>);
    return outside.promise;
  }

  /** The lanes of all of it, in the order in which it was begun, once all of it has ended. */
  async ended(): Promise<readonly Lane[]> {
    const begun = [...this.#open];
    await Promise.all(begun.map(({ over }) => over));
    for (const one of begun) this.#open.delete(one);
    return begun;
  }

  get size(): number {
    return this.#open.size;
  }
}
