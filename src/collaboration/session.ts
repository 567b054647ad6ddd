import type { MessageBus } from '../bus.ts';
import { BudgetExhaustedError } from '../delivery/bound-errors.ts';
import { CancelledError, NoResponderError } from '../delivery/errors.ts';
import { Deferred } from '../kernel/deferred.ts';
import { isA } from '../kernel/is-a.ts';
import { type BudgetAmounts, UNLIMITED } from '../message/budget.ts';
import { SharedBudget, shortageOf, viewOf } from '../message/shared-budget.ts';
import { Scope } from '../workflow/scope.ts';
import { Book } from './book.ts';
import type { CollaborationOptions } from './options.ts';
import { type Asked, type Ended, type Heard, isGoal, type Plan, type Step } from './plan.ts';
import type { Resolution, ResolveContext } from './resolution.ts';
import type { ActiveCollaboration, Collaborated, CollaborationKind, Turn } from './result.ts';
import type { Seat } from './seat.ts';

/** What a session is about. */
export interface SessionTerms {
  readonly id: string;
  readonly kind: CollaborationKind;
  readonly bus: MessageBus<never>;
  readonly options: CollaborationOptions & { readonly onFailure: 'skip' | 'end' };
  /** The participants. */
  readonly seats: readonly Seat[];
  /** Who decides, if one does. */
  readonly lead?: Seat;
  /** It has ended. */
  ended(session: Session): void;
}

interface Voice {
  readonly name?: string;
  readonly agent?: string;
  request(topic: string, input: unknown, options: object): Promise<unknown>;
  publish(topic: string, payload: unknown, options: object): unknown;
}

/** One collaboration: plays a plan, and sees to the time, the budget and the goal. */
export class Session {
  readonly #terms: SessionTerms;
  readonly #voice: Voice;
  readonly #scope: Scope;
  readonly #budget: SharedBudget;
  readonly #book: Book;
  readonly #startedAt: number;
  readonly #turnOf = new Set<Seat>();
  readonly #over = new Deferred<Collaborated>();
  #round = 0;
  #resolution: Resolution | undefined;

  constructor(terms: SessionTerms) {
    const { options, seats } = terms;
    const { as = terms.bus, timeoutMs, signal, budget = {}, keep = 100 } = options;
    this.#terms = terms;
    this.#voice = as as unknown as Voice;
    this.#scope = new Scope({
      as,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(signal !== undefined && { signal }),
    });
    this.#budget = budget instanceof SharedBudget ? budget : new SharedBudget(budget);
    this.#book = new Book(
      keep,
      seats.map(({ name }) => name),
    );
    this.#startedAt = this.#scope.env.wall();
  }

  /** Never rejects. */
  run(plan: Plan): Promise<Collaborated> {
    this.#scope.watch({
      timedOut: () => this.#callOff({ ending: 'time-out' }, 'its time is over'),
      withdrawn: (error) => this.#callOff({ ending: 'cancelled', error }, 'it was called off'),
    });
    if (!this.#over.settled) {
      this.#play(plan).then(
        (ended) => this.#end(ended),
        (error: unknown) => this.#end(this.#endedBy(error)),
      );
    }
    return this.#over.promise;
  }

  view(): ActiveCollaboration {
    const { id, kind, options, seats, lead } = this.#terms;
    const all = lead === undefined ? seats : [lead, ...seats];
    return {
      id,
      kind,
      goal: options.goal,
      startedAt: this.#startedAt,
      round: this.#round,
      participants: all.map(({ name, agent }) => ({ name, agent })),
      turnOf: [...this.#turnOf].map(({ name }) => name),
      contributions: this.#book.said,
    };
  }

  /** What was answered in place of a decision. */
  refuse(by: string, round: number, error: unknown): void {
    this.#book.enterFailed({ by, agent: this.#terms.lead?.agent, round, error });
  }

  // ---- playing

  async #play(plan: Plan): Promise<Ended> {
    let heard: readonly Heard[] = [];
    for (;;) {
      const step = plan.next(heard);
      if (step.done === true) return this.#resolved(step.value);
      const short = this.#exhausted();
      if (short !== undefined) return { ending: 'budget', error: short };
      this.#round = step.value.round;
      heard = await Promise.all(step.value.turns.map((turn) => this.#take(turn)));
      const ended = this.#endingAfter(step.value, heard) ?? (await this.#endingByPredicate(heard));
      // It was called off meanwhile: whatever this says, it has ended.
      if (this.#over.settled) return { ending: 'cancelled' };
      if (ended !== undefined) return this.#resolved(ended);
    }
  }

  /** What the turns that were taken together mean for the whole. */
  #endingAfter({ turns }: Step, heard: readonly Heard[]): Ended | undefined {
    const failed = heard.find((one) => one.outcome === 'failed');
    for (const [i, one] of heard.entries()) {
      if (one.outcome !== 'said' || turns[i]?.role === 'worker' || !isGoal(one.value)) continue;
      return { ending: 'goal', value: one.value.value };
    }
    const isShort = heard.some((one) => one.outcome === 'failed' && this.#isShortOf(one.error));
    if (failed === undefined) return undefined;
    if (isShort) return { ending: 'budget', error: this.#exhausted() };
    if (this.#terms.options.onFailure === 'skip') return undefined;
    return { ending: 'failed', error: failed.error };
  }

  async #endingByPredicate(heard: readonly Heard[]): Promise<Ended | undefined> {
    const { until } = this.#terms.options;
    if (until === undefined || !heard.some(({ outcome }) => outcome === 'said')) return undefined;
    const enough = await until(this.#book.progress(this.#round));
    return enough === true ? { ending: 'predicate' } : undefined;
  }

  /** Where nobody has reached the goal, `resolve` says what came of it. */
  async #resolved(ended: Ended): Promise<Ended> {
    const { resolve } = this.#terms.options;
    const { ending } = ended;
    if (resolve === undefined || (ending !== 'rounds' && ending !== 'predicate')) return ended;
    const resolution = await resolve(this.#book.positions, this.#resolveContext());
    this.#resolution = resolution;
    return resolution.settled ? { ...ended, value: resolution.value } : ended;
  }

  #resolveContext(): ResolveContext {
    const { call } = this.#scope;
    return {
      goal: this.#terms.options.goal,
      contributions: this.#book.contributions,
      get signal() {
        return call.signal;
      },
      request: (topic, input, options = {}) => this.#ask(topic, input, options.to),
    };
  }

  // ---- turns

  async #take(turn: Asked): Promise<Heard> {
    const { seat } = turn;
    const round = this.#round;
    this.#turnOf.add(seat);
    const heard = await this.#hear(turn);
    this.#turnOf.delete(seat);
    // What comes when it has ended is not entered: its result has been given.
    if (this.#over.settled) return heard;
    const by = seat.name;
    if (heard.outcome === 'failed') {
      this.#book.enterFailed({ by, agent: seat.agent, round, error: heard.error });
    } else if (heard.outcome === 'said') {
      this.#book.enter({ by, agent: seat.agent as string, round, value: heard.value });
      this.#share(by, heard.value);
    }
    return heard;
  }

  /** Asks who sits there, and when that fails whoever else may take the seat. */
  async #hear(turn: Asked): Promise<Heard> {
    const { seat } = turn;
    const { topic, capability } = seat;
    const tried = new Set<string>();
    let error: unknown = new NoResponderError(topic, capability && { capability });
    for (;;) {
      const agent = this.#candidate(seat, tried);
      if (agent === undefined) return { outcome: 'failed', error };
      seat.agent = agent;
      tried.add(agent);
      try {
        const value = await this.#ask(topic, this.#told(turn), agent);
        return value === undefined ? { outcome: 'passed' } : { outcome: 'said', value };
      } catch (reason) {
        error = reason;
        if (this.#over.settled || this.#isShortOf(reason)) return { outcome: 'failed', error };
      }
    }
  }

  /** Who sits there, or else somebody who could and does not sit elsewhere. */
  #candidate(seat: Seat, tried: ReadonlySet<string>): string | undefined {
    if (seat.agent !== undefined && !tried.has(seat.agent)) return seat.agent;
    if (seat.capability === undefined) return undefined;
    const { bus, seats, lead } = this.#terms;
    const taken = new Set([...seats, lead].map((one) => one?.agent));
    const { name, agent = name } = this.#voice;
    const able = bus.agents({ capability: seat.capability }).map((one) => one.name);
    return able.find((one) => !tried.has(one) && !taken.has(one) && one !== agent);
  }

  #told({ seat, role, task }: Asked): Turn {
    const { id, options, seats } = this.#terms;
    return {
      collaboration: id,
      ...(options.goal !== undefined && { goal: options.goal }),
      you: seat.name,
      role,
      round: this.#round,
      participants: seats.map(({ name }) => name),
      ...(task !== undefined && { task }),
      contributions: this.#book.contributions,
      failed: this.#book.toldFailures(),
    };
  }

  async #ask(topic: string, input: unknown, to: string | undefined): Promise<unknown> {
    const { turnTimeoutMs } = this.#terms.options;
    return this.#voice.request(topic, input, {
      signal: this.#scope.call.signal,
      budget: this.#budget,
      ...(to !== undefined && { to }),
      ...(turnTimeoutMs !== undefined && { timeoutMs: turnTimeoutMs }),
    });
  }

  #share(by: string, value: unknown): void {
    const { id, options } = this.#terms;
    if (options.share === undefined) return;
    const payload = { collaboration: id, by, round: this.#round, value };
    this.#voice.publish(options.share, payload, { budget: this.#budget });
  }

  // ---- ending

  /** Why nothing more may be said, if that is so: by its own budget, or by one above. */
  #exhausted(): BudgetExhaustedError | undefined {
    const short = shortageOf(this.#budget, this.#scope.env.now());
    return short === undefined ? undefined : new BudgetExhaustedError(short);
  }

  /** A participant may also have used up a budget of its own: that is a failure of the turn. */
  #isShortOf(error: unknown): boolean {
    return isA(error, BudgetExhaustedError) && this.#exhausted() !== undefined;
  }

  #endedBy(error: unknown): Ended {
    return { ending: this.#isShortOf(error) ? 'budget' : 'failed', error };
  }

  /** Whoever works on it is told so, and is not waited for. */
  #callOff(ended: Ended, why: string): void {
    const { id } = this.#terms;
    this.#end(ended);
    this.#scope.call.abort(new CancelledError(id, why, { cause: ended.error }));
  }

  #end({ ending, value, error }: Ended): void {
    if (this.#over.settled) return;
    const book = this.#book;
    this.#over.resolve({
      id: this.#terms.id,
      ending,
      value,
      ...book.progress(this.#round),
      resolution: this.#resolution,
      dropped: book.dropped,
      failed: book.failed,
      error,
      spent: this.#spent(),
    });
    this.#scope.close();
    this.#scope.call.end();
    this.#terms.ended(this);
  }

  #spent(): BudgetAmounts {
    return viewOf(this.#budget, this.#scope.env.now())?.spent ?? UNLIMITED.spent;
  }
}
