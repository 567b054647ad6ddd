import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Ambient } from './ambient.ts';
import type { Attempt } from './attempt.ts';
import { Deferral } from './deferral.ts';
import type { AnswerLater, DeferOptions, Later } from './later.ts';
import type { Ledger } from './ledger.ts';
import type { Outcomes } from './outcomes.ts';
import { readMs } from './said.ts';
import type { Worker } from './worker.ts';

/** What putting off an answer needs of its bus. */
export interface DeferralParts {
  readonly env: Env;
  readonly ambient: Ambient | undefined;
  readonly ledger: Ledger;
  readonly outcomes: Outcomes;
  /** An answer that nobody waits for any more. */
  readonly late: (message: Envelope, value: unknown) => void;
  /** Hears what the function of `defer` threw after its request was answered. */
  readonly onFault: (error: unknown, where: string) => void;
}

const DEFER_OPTIONS: ReadonlySet<string> = new Set<keyof DeferOptions>(['timeoutMs']);
const NONE: DeferOptions = {};

/** All requests whose answer is owed. */
export class Deferrals {
  readonly #parts: DeferralParts;
  readonly #open = new Set<Deferral>();

  constructor(parts: DeferralParts) {
    this.#parts = parts;
  }

  /** Notes that this call of a handler will not answer by returning. */
  open(attempt: Attempt, work: AnswerLater | undefined, options: DeferOptions = NONE): Later {
    if (work !== undefined && typeof work !== 'function') {
      throw misuse('What defer is given', 'a function', work);
    }
    if (typeof options !== 'object' || options === null) {
      throw misuse('The options of defer', 'an object', options);
    }
    refuseUnknown(options, DEFER_OPTIONS, 'defer');
    refuseTwice(attempt);
    const timeoutMs = readMs('timeoutMs', options.timeoutMs);
    if (timeoutMs === undefined && attempt.deadline === Infinity) throw endless(attempt);
    const { ambient } = this.#parts;
    const bound = ambient === undefined ? work : work && ambient.bind(work);
    return this.#add(attempt, bound, timeoutMs ?? Infinity).later;
  }

  /** As `open`, for what ends with another request, which has limits of its own. */
  openEndless(attempt: Attempt, work: AnswerLater): Deferral {
    refuseTwice(attempt);
    return this.#add(attempt, work, Infinity);
  }

  matching(condition: (deferral: Deferral) => boolean): Deferral[] {
    return [...this.#open].filter(condition);
  }

  /** Ends what an agent owes that has left. */
  leave(workers: ReadonlySet<Worker>): void {
    for (const one of this.matching(({ attempt }) => workers.has(attempt.worker))) one.leave();
  }

  /** Ends what is still owed; returns what that was. */
  closeAll(): Attempt[] {
    const left = [...this.#open];
    for (const deferral of left) deferral.close();
    return left.map(({ attempt }) => attempt);
  }

  #add(attempt: Attempt, work: AnswerLater | undefined, timeoutMs: number): Deferral {
    const { delivery } = attempt;
    const deferral = new Deferral(this.#parts, this.#open, attempt, work, timeoutMs);
    delivery.flags = { ...delivery.flags, deferral };
    return deferral;
  }
}

function refuseTwice(attempt: Attempt): void {
  const { delivery, message } = attempt;
  const { topic } = message;
  if (delivery.subscription.kind !== 'serve') {
    throw new TypeError(`Only the answer to a request can be deferred, but nobody asked ${topic}`);
  }
  if (delivery.replied) throw new TypeError(`${topic} cannot be deferred: it is answered already`);
  if (attempt.deferral !== undefined) throw new TypeError(`${topic} is deferred already`);
}

function endless({ message }: Attempt): TypeError {
  return new TypeError(
    `${message.topic} was asked without a limit of time, so defer needs one: { timeoutMs }`,
  );
}
