import { onAbort } from '../kernel/abort.ts';
import type { Env, Timer } from '../kernel/env.ts';
import { Call } from '../resilience/call.ts';
import type { Execution } from '../resilience/policy.ts';
import { envFor, type WorkflowOptions } from './workflow-options.ts';

/** What ends a workflow before its tasks do. */
export interface ScopeEnd {
  timedOut(): void;
  /** By the caller's signal, or with the handler whose context it was given. */
  withdrawn(reason: unknown): void;
}

/** The time that a workflow has, and what calls it off. */
export class Scope {
  readonly env: Env;
  /** What all its tasks are below. */
  readonly call: Call;
  readonly timeoutMs: number;
  readonly #options: WorkflowOptions;
  /** Monotonic instant at which its own time is over. */
  readonly #endsAt: number;
  #timer: Timer | undefined;
  #offs: (() => void)[] = [];
  #closed = false;

  /** `before`: the scope of a part that was done before, of whose time this one has what is left. */
  constructor(options: WorkflowOptions, before?: Scope) {
    this.env = envFor(options);
    this.timeoutMs = options.timeoutMs ?? Infinity;
    this.#options = options;
    const now = this.env.now();
    this.#endsAt = before === undefined ? now + this.timeoutMs : before.#endsAt;
    const { remainingMs = Infinity } = this.#above;
    this.call = new Call(this.env, undefined, {
      deadline: Math.min(this.#endsAt, now + remainingMs),
    });
  }

  /** A handler's context is a call that somebody else ends. */
  get #above(): Partial<Execution> {
    return (this.#options.as as Partial<Execution> | undefined) ?? {};
  }

  /** At most one of the two is told, once; at once when it was called off before. */
  watch({ timedOut, withdrawn }: ScopeEnd): void {
    for (const signal of [this.#options.signal, this.#above.signal]) {
      if (signal !== undefined && !this.#closed) this.#offs.push(onAbort(signal, withdrawn));
    }
    if (this.#closed) this.close();
    else if (this.#endsAt !== Infinity) {
      const label = 'workflow time-out';
      const leftMs = this.#endsAt - this.env.now();
      this.#timer = this.env.setTimer(leftMs, timedOut, { keepAlive: true, label });
    }
  }

  /** Leaves no timer and no listener behind. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const off of this.#offs) off();
    this.#offs = [];
  }
}
