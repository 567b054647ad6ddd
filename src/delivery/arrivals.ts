import { onAbort } from '../kernel/abort.ts';
import type { Env, Lane, Timer } from '../kernel/env.ts';
import { ClosedError } from './errors.ts';
import type { Eligible } from './responders.ts';
import type { Cause } from './speech.ts';
import type { Subscription } from './subscription.ts';

/** How long somebody waits for a responder, and what calls it off. */
export interface WaitTerms {
  /** Milliseconds, `Infinity` for no limit. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly cause: Cause | undefined;
}

/** Those who wait until somebody serves a topic. */
export class Arrivals {
  readonly #env: Env;
  readonly #waiting = new Set<Arrival>();

  constructor(env: Env) {
    this.#env = env;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * True as soon as somebody comes who serves the topic and is wanted, false when the time is over
   * first. Rejects with the reason of what calls it off, and when the bus closes.
   */
  wait(topic: string, eligible: Eligible | undefined, terms: WaitTerms): Promise<boolean> {
    const arrival = new Arrival(this.#env, topic, eligible, (gone) => this.#waiting.delete(gone));
    this.#waiting.add(arrival);
    arrival.limit(terms);
    return arrival.promise;
  }

  /** Somebody serves from now on. */
  came(subscription: Subscription): void {
    if (this.#waiting.size === 0) return;
    for (const arrival of this.#waiting) {
      if (arrival.waitsFor(subscription)) arrival.end({ came: true });
    }
  }

  /** Nobody comes to a bus that is closed. */
  close(): void {
    for (const arrival of this.#waiting) {
      arrival.end({ error: new ClosedError(`waiting for a responder of ${arrival.topic}`) });
    }
  }
}

type End = { readonly came: boolean } | { readonly error: unknown };

/** One who waits; on a simulated Env also the lane on which he hears of it. */
class Arrival implements Lane {
  readonly kind = 'reply' as const;
  /** Before all messages: who waits for a responder has not said anything yet. */
  readonly order = 0;
  readonly topic: string;
  readonly promise: Promise<boolean>;
  posted = false;
  readonly #env: Env;
  readonly #eligible: Eligible | undefined;
  readonly #gone: (arrival: Arrival) => void;
  #timer: Timer | undefined;
  #offs: (() => void)[] = [];
  #end: End | undefined;
  #resolve!: (came: boolean) => void;
  #reject!: (reason: unknown) => void;

  constructor(
    env: Env,
    topic: string,
    eligible: Eligible | undefined,
    gone: (arrival: Arrival) => void,
  ) {
    this.#env = env;
    this.topic = topic;
    this.#eligible = eligible;
    this.#gone = gone;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get label(): string {
    return `wait for ${this.topic}`;
  }

  waitsFor(subscription: Subscription): boolean {
    if (!subscription.pattern.matches(this.topic)) return false;
    return this.#eligible === undefined || this.#eligible(subscription);
  }

  limit({ timeoutMs, signal, cause }: WaitTerms): void {
    if (timeoutMs !== Infinity) {
      const options = { keepAlive: true, label: 'wait for a responder' };
      this.#timer = this.#env.setTimer(timeoutMs, () => this.end({ came: false }), options);
    }
    const callOff = (error: unknown): void => this.end({ error });
    if (signal !== undefined) this.#offs.push(onAbort(signal, callOff));
    if (cause !== undefined) this.#offs.push(cause.onAbort(callOff));
    if (this.#end !== undefined) this.#stop();
  }

  end(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#gone(this);
    this.#stop();
    if (this.#env.direct) this.run();
    else this.#env.post(this);
  }

  run(): void {
    const end = this.#end as End;
    if ('error' in end) this.#reject(end.error);
    else this.#resolve(end.came);
  }

  #stop(): void {
    this.#timer?.cancel();
    for (const off of this.#offs) off();
  }
}
