import { EventEmitter } from 'eventemitter3';

/** Hears what a listener threw or rejected with, and which listener it was. */
export type FaultListener = (error: unknown, where: string) => unknown;

/** Gives a function that runs as if nobody had called it from within something. */
export type Outside = <A extends unknown[], R>(fn: (...args: A) => R) => (...args: A) => R;

type Recorder = (name: string, args: readonly unknown[]) => void;
type Listener<Args extends unknown[]> = (...args: Args) => unknown;
type Guarded = ((...args: unknown[]) => void) & { listener?: unknown };

/**
 * Events whose listeners cannot break the one who emits: what they throw, and what their promises
 * reject with, goes to `onFault`.
 */
export class GuardedEvents<Events extends { [Name in keyof Events]: unknown[] }> {
  readonly #emitter = new EventEmitter<string>();
  readonly #onFault: FaultListener;
  readonly #outside: Outside | undefined;
  #size = 0;
  #recorder: Recorder | undefined;

  /** `outside`: what listeners run in, who belong to nobody that an event is about. */
  constructor(onFault: FaultListener, outside?: Outside) {
    this.#onFault = onFault;
    this.#outside = outside;
  }

  /** Calls `listener` at every event of this name, until the returned function is called. */
  on<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): () => void {
    const guarded: Guarded = (...args) => this.#call(name, listener, args);
    return this.#add(name, this.#apart(guarded), listener);
  }

  /** Calls `listener` at the next event of this name only. */
  once<Name extends keyof Events & string>(
    name: Name,
    listener: Listener<Events[Name]>,
  ): () => void {
    const guarded: Guarded = (...args) => {
      off();
      this.#call(name, listener, args);
    };
    const off = this.#add(name, this.#apart(guarded), listener);
    return off;
  }

  /** Takes back every `on` and `once` of this listener. */
  off<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): void {
    for (const guarded of this.#emitter.listeners(name) as Guarded[]) {
      if (guarded.listener === listener) this.#remove(name, guarded);
    }
  }

  /**
   * Hands every event to one recorder, before the listeners: what a listener for each name would do
   * at several times the cost. It must not throw.
   */
  record(recorder: Recorder): void {
    if (this.#recorder === undefined) this.#size += 1;
    this.#recorder = recorder;
  }

  /** Whether anybody listens. Cheap: ask before building what `emit` would tell. */
  has(name: keyof Events & string): boolean {
    if (this.#size === 0) return false;
    return this.#recorder !== undefined || this.#emitter.listenerCount(name) !== 0;
  }

  emit<Name extends keyof Events & string>(name: Name, ...args: Events[Name]): void {
    if (this.#size === 0) return;
    this.#recorder?.(name, args);
    this.#emitter.emit(name, ...args);
  }

  removeAll(): void {
    this.#emitter.removeAllListeners();
    this.#recorder = undefined;
    this.#size = 0;
  }

  #apart(guarded: Guarded): Guarded {
    return this.#outside === undefined ? guarded : this.#outside(guarded);
  }

  #add(name: keyof Events & string, guarded: Guarded, listener: unknown): () => void {
    guarded.listener = listener;
    this.#emitter.on(name, guarded);
    this.#size += 1;
    return () => this.#remove(name, guarded);
  }

  #remove(name: keyof Events & string, guarded: Guarded): void {
    if (!this.#emitter.listeners(name).includes(guarded)) return;
    this.#emitter.off(name, guarded);
    this.#size -= 1;
  }

  #call(name: keyof Events & string, listener: unknown, args: unknown[]): void {
    guard(listener as Listener<unknown[]>, args, (error) => {
      // A fault of the fault listener has nowhere left to go.
      guard(this.#onFault, [error, `listener of ${name}`], () => {});
    });
  }
}

/** Calls `fn`; whatever it throws or rejects with goes to `onError`. */
function guard<Args extends unknown[]>(
  fn: (...args: Args) => unknown,
  args: Args,
  onError: (error: unknown) => void,
): void {
  try {
    const result = fn(...args);
    if (isThenable(result)) void Promise.resolve(result).then(undefined, onError);
  } catch (error) {
    onError(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
