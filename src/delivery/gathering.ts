import { onAbort } from '../kernel/abort.ts';
import type { Env, Lane, Timer } from '../kernel/env.ts';
import { isA } from '../kernel/is-a.ts';
import type { CancelReason } from './bus-events.ts';
import type { Delivery } from './delivery.ts';
import { CancelledError, ClosedError } from './errors.ts';
import type { Answer, Terms } from './requests.ts';
import type { Cause } from './speech.ts';
import type { Subscription } from './subscription.ts';
import { type GatheredSoFar, judge, type Until } from './until.ts';

/** What `gather` resolves with. Every agent that was to be asked stands in exactly one list. */
export interface Gathered<O = unknown> extends GatheredSoFar<O> {
  /**
   * `all` have ended; `enough` is what `until` said; `impossible`: too many have failed; `timeout`;
   * `withdrawn` by the caller's signal or the end of the asking handler; `closed`: the bus was.
   */
  readonly reason: 'all' | 'enough' | 'impossible' | 'timeout' | 'withdrawn' | 'closed';
}

/** What one gather was told. */
export interface GatherTerms {
  readonly topic: string;
  readonly asker: string;
  readonly until: Until | undefined;
  readonly stragglers: 'run' | 'abort';
  /** Monotonic instant at which it is over. */
  readonly endsAt: number;
  readonly idleTimeoutMs: number;
  readonly onProgress: ((update: unknown, from: string) => void) | undefined;
}

/** Somebody who was asked: a request, or a call with attempts. */
export interface Asked {
  readonly order: number;
  readonly delivery: Delivery | undefined;
  /** What it got, also when that is still on its way. */
  readonly settled: Answer | undefined;
  withdraw(reason: unknown): void;
  release(): void;
}

/** How one of many is asked: as any request, but for who hears the answer. */
export type AskedTerms = Omit<Terms, 'onSettled'> & {
  readonly onSettled: (answer: Answer, asked: Asked) => void;
};

type Ending = { readonly reason: Gathered['reason'] } | { readonly error: unknown };

const TIMEOUT = { keepAlive: true, label: 'gather time-out' } as const;

/**
 * One gather that waits: many requests, one clock, one result. What has come is kept, however it
 * ends.
 */
export class Gathering implements Lane {
  readonly kind = 'reply' as const;
  readonly promise: Promise<Gathered>;
  posted = false;
  order = 0;
  readonly #env: Env;
  readonly #terms: GatherTerms;
  readonly #ok: GatheredSoFar['ok'][number][] = [];
  readonly #failed: GatheredSoFar['failed'][number][] = [];
  readonly #cancelled: GatheredSoFar['cancelled'][number][] = [];
  /** Who was asked and has not ended. */
  readonly #open = new Map<string, Asked>();
  /** To whom the question is being put, until he has ended. */
  #beingAsked: string | undefined;
  /** Those who ran on when it ended. */
  #pending: readonly string[] = [];
  #state: 'asking' | 'waiting' | 'over' = 'asking';
  #ending: Ending | undefined;
  #timer: Timer | undefined;
  #offs: (() => void)[] = [];
  #resolve!: (gathered: Gathered) => void;
  #reject!: (reason: unknown) => void;

  constructor(env: Env, terms: GatherTerms) {
    this.#env = env;
    this.#terms = terms;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get label(): string {
    return `gather of ${this.#terms.asker}`;
  }

  /** Somebody who cannot be asked at all. */
  refused(from: string, error: unknown): void {
    this.#failed.push({ from, error });
  }

  /** Puts the question to all of them, unless that cannot be enough. */
  ask(
    responders: readonly Subscription[],
    put: (responder: Subscription, terms: AskedTerms) => Asked,
  ): void {
    const { until, endsAt } = this.#terms;
    if (typeof until === 'object' && until.answers > responders.length) {
      for (const { owner } of responders)
        this.#cancelled.push({ from: owner, reason: 'withdrawn' });
      this.#end({ reason: 'impossible' });
      return;
    }
    // Before anybody is asked: of the timers of one instant, that of the gather is the first.
    if (endsAt !== Infinity) {
      const timedOut = (): void => this.#end({ reason: 'timeout' });
      this.#timer = this.#env.setTimer(endsAt - this.#env.now(), timedOut, TIMEOUT);
    }
    for (const responder of responders) this.#askOne(responder, put);
    this.#state = 'waiting';
    if (this.#failed.length + this.#cancelled.length + this.#ok.length > 0) this.#judge();
  }

  /** Lets the caller's signal, or the end of the asking handler, call it off. */
  listen(signal: AbortSignal | undefined, cause: Cause | undefined): void {
    const withdraw = (reason: unknown): void => this.#end({ reason: 'withdrawn' }, reason);
    if (this.#state === 'over') return;
    if (signal !== undefined) this.#offs.push(onAbort(signal, withdraw));
    if (cause !== undefined) this.#offs.push(cause.onAbort(withdraw));
    if ((this.#state as string) === 'over') this.#stop();
  }

  /** The result arrives. */
  run(): void {
    const ending = this.#ending as Ending;
    if ('error' in ending) this.#reject(ending.error);
    else {
      const { ok, failed, pending, cancelled } = this.#soFar();
      const reason = this.#reasonOf(ending.reason);
      this.#resolve({ ok, failed, pending, cancelled, reason });
    }
  }

  #askOne(
    responder: Subscription,
    put: (responder: Subscription, terms: AskedTerms) => Asked,
  ): void {
    const { owner } = responder;
    this.#beingAsked = owner;
    try {
      const pending = put(responder, this.#termsFor(owner));
      this.order ||= pending.order;
      // A listener may have ended him already while he was being asked.
      if (this.#beingAsked === owner) this.#open.set(owner, pending);
    } catch (error) {
      this.refused(owner, error);
    }
  }

  #termsFor(from: string): AskedTerms {
    const { idleTimeoutMs, onProgress } = this.#terms;
    return {
      timeoutMs: Infinity,
      idleTimeoutMs,
      onProgress: onProgress && ((update) => onProgress(update, from)),
      onSettled: (answer, pending) => this.#heard(from, answer, pending),
    };
  }

  #heard(from: string, answer: Answer, pending: Asked): void {
    if (this.#state === 'over') return;
    this.#enter(from, answer, pending);
    if (this.#state === 'waiting') this.#judge();
  }

  #enter(from: string, { value, failed }: Answer, pending: Asked): void {
    if (!this.#open.delete(from)) this.#beingAsked = undefined;
    const reason = failed ? whyCalledOff(value, pending) : undefined;
    if (!failed) this.#ok.push({ from, value });
    else if (reason === undefined) this.#failed.push({ from, error: value });
    else this.#cancelled.push({ from, reason });
  }

  #judge(): void {
    const counts = { ok: this.#ok.length, left: this.#open.size };
    try {
      const verdict = judge(this.#terms.until, counts, () => this.#soFar());
      if (verdict !== 'go-on') this.#end({ reason: verdict });
    } catch (error) {
      this.#end({ error });
    }
  }

  #end(ending: Ending, abortReason?: unknown): void {
    if (this.#state === 'over') return;
    this.#ending = ending;
    this.#state = 'over';
    this.#stop();
    const withdrawn = 'reason' in ending && ending.reason === 'withdrawn';
    if (this.#open.size > 0) {
      if (withdrawn || this.#terms.stragglers === 'abort') this.#abortRest(abortReason);
      else this.#releaseRest();
    }
    if (this.#env.direct) this.run();
    else this.#env.post(this);
  }

  /** What is aborted may set off more, so everyone is looked at when it is his turn. */
  #abortRest(given: unknown): void {
    const reason = given ?? new CancelledError(this.#terms.topic, 'withdrawn');
    for (const [from, pending] of this.#rest()) {
      if (pending.settled !== undefined) this.#enter(from, pending.settled, pending);
      else {
        this.#open.delete(from);
        this.#cancelled.push({ from, reason: 'withdrawn' });
        pending.withdraw(reason);
      }
    }
  }

  #releaseRest(): void {
    for (const [from, pending] of this.#rest()) {
      if (pending.settled !== undefined) this.#enter(from, pending.settled, pending);
      else pending.release();
    }
    this.#pending = [...this.#open.keys()];
  }

  #rest(): [string, Asked][] {
    return [...this.#open];
  }

  #stop(): void {
    this.#timer?.cancel();
    for (const off of this.#offs) off();
  }

  #soFar(): GatheredSoFar {
    const pending = this.#state === 'over' ? this.#pending : [...this.#open.keys()];
    return {
      ok: [...this.#ok],
      failed: [...this.#failed],
      pending,
      cancelled: [...this.#cancelled],
    };
  }

  /** Whom the bus ended with itself has neither answered nor failed. */
  #reasonOf(reason: Gathered['reason']): Gathered['reason'] {
    if (reason !== 'all' && reason !== 'impossible') return reason;
    return this.#cancelled.some((one) => one.reason === 'closed') ? 'closed' : reason;
  }
}

/**
 * Why the library took the question back; undefined when the responder failed. He may have failed
 * with an error of just this kind, from something that he asked himself: then his delivery is dead.
 */
export function whyCalledOff(
  error: unknown,
  { delivery }: Pick<Asked, 'delivery'>,
): CancelReason | undefined {
  if (delivery?.state === 'deadLettered') return undefined;
  if (isA(error, ClosedError)) return 'closed';
  return isA(error, CancelledError) ? (error.reason as CancelReason) : undefined;
}
