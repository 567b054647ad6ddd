import type { Voice } from '../delivery/context.ts';
import type { AskOptions } from '../delivery/speech.ts';
import { onAbort } from '../kernel/abort.ts';
import { Cancellation } from '../kernel/cancellation.ts';
import type { Env } from '../kernel/env.ts';
import { showEnv } from '../kernel/env-of.ts';
import type { Execution } from '../resilience/policy.ts';

/** The verbs of asking. */
type Asking = 'request' | 'gather' | 'stream';

/**
 * What a task of a workflow is given: its signal, its time, and the voice of `as`. What is asked
 * with it is called off with the task, and waits no longer than the workflow.
 */
export type WorkContext<V extends object = object> = Execution & Pick<V, Extract<keyof V, Asking>>;

type Options = Pick<AskOptions, 'signal' | 'timeoutMs'>;
type Stream = ReturnType<Voice['stream']>;

/** The context of one task. `WorkContext` has its public type. */
export class BoundWork implements Execution {
  readonly #env: Env;
  readonly #voice: Voice | undefined;
  readonly #execution: Execution;

  constructor(env: Env, voice: Voice | undefined, execution: Execution) {
    this.#env = env;
    this.#voice = voice;
    this.#execution = execution;
  }

  static {
    // biome-ignore lint/complexity/noThisInStatic: its own name would rename it in the bundle
    showEnv(this.prototype, (work) => work.#env);
  }

  get signal(): AbortSignal {
    return this.#execution.signal;
  }

  get attempt(): number {
    return this.#execution.attempt;
  }

  get remainingMs(): number {
    return this.#execution.remainingMs;
  }

  async request(topic: string, input: unknown, options?: Options): Promise<unknown> {
    const { bound, end } = this.#bind(options);
    try {
      return await this.#speaker.request(topic, input, bound);
    } finally {
      end();
    }
  }

  async gather(topic: string, input: unknown, options?: Options): Promise<unknown> {
    const { bound, end } = this.#bind(options);
    try {
      return await this.#speaker.gather(topic, input, bound);
    } finally {
      end();
    }
  }

  stream(topic: string, input: unknown, options?: Options): Stream {
    const { bound, end } = this.#bind(options);
    const stream = this.#speaker.stream(topic, input, bound);
    stream.result.then(end, end);
    return stream;
  }

  get #speaker(): Voice {
    if (this.#voice !== undefined) return this.#voice;
    throw new TypeError(
      'Nobody speaks here: give the workflow the option as: an agent, a context or a bus',
    );
  }

  /** The options with the signal and the time of this task in them, and how to let go of both. */
  #bind(options: Options = {}): { readonly bound: Options; end(): void } {
    const { signal: own, timeoutMs: asked } = options;
    const { signal, end } = own === undefined ? this.#alone() : either(this.signal, own);
    const timeoutMs = least(asked, this.remainingMs);
    if (timeoutMs === undefined) return { bound: { ...options, signal }, end };
    return { bound: { ...options, signal, timeoutMs }, end };
  }

  #alone(): { readonly signal: AbortSignal; end(): void } {
    return { signal: this.signal, end: () => {} };
  }
}

/** What is no number is left for the call to refuse. */
function least(asked: number | undefined, remainingMs: number): number | undefined {
  if (remainingMs === Infinity) return asked;
  return asked === undefined || asked > remainingMs ? remainingMs : asked;
}

/** Aborts when one of them does, until it is ended. */
function either(a: AbortSignal, b: AbortSignal): { readonly signal: AbortSignal; end(): void } {
  const both = new Cancellation();
  const offs = [a, b].map((one) => onAbort(one, (reason) => both.abort(reason)));
  return {
    signal: both.signal,
    end: () => {
      for (const off of offs) off();
    },
  };
}
