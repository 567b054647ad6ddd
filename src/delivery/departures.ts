import { misuse } from '../kernel/errors.ts';
import type { Budget } from '../message/budget.ts';
import type { Envelope } from '../message/envelope.ts';
import { type Dedupe, duplicateOf } from './dedupe.ts';
import type { Ledger } from './ledger.ts';
import type { Outbox } from './outbox.ts';
import type { Receipt } from './receipt.ts';
import type { Refusals } from './refusals.ts';
import type { Schedule } from './schedule.ts';
import type { Scribe } from './scribe.ts';
import type { Cause, PublishOptions, Speaker } from './speech.ts';

/** What leaving needs of its bus. */
export interface DepartureParts {
  readonly ledger: Ledger;
  readonly scribe: Scribe;
  readonly refusals: Refusals;
  readonly dedupe: Dedupe;
  readonly schedule: Schedule;
  now(): number;
}

/** What is checked when a message is said, whenever it leaves. */
export interface DepartureChecks {
  /** Draws it from the budget of its conversation. */
  draw(cause: Cause | undefined, message: Envelope): Budget | undefined;
  /** Refuses a directed message that nobody takes now. */
  checkRecipient(message: Envelope): void;
}

/** Brings a message to those who get it, as it is said in the end. */
export type Admit = (message: Envelope) => Receipt;

/** When a message leaves: at once, when it is due, or when the handler that says it has succeeded. */
export class Departures {
  readonly #parts: DepartureParts;
  readonly #checks: DepartureChecks;

  constructor(parts: DepartureParts, checks: DepartureChecks) {
    this.#parts = parts;
    this.#checks = checks;
  }

  /** The receipt of what the speaker has said with this key already. */
  duplicate(
    speaker: Speaker,
    topic: string,
    options: PublishOptions | undefined,
  ): Receipt | undefined {
    const key = options?.dedupeKey;
    if (key === undefined) return undefined;
    checkKey(key);
    const held = speaker.cause?.outbox?.find(heldKey(speaker.name, topic, key));
    if (held === undefined) return this.#known(speaker.name, topic, key);
    this.#parts.ledger.duplicates++;
    return duplicateOf(held);
  }

  say(
    message: Envelope,
    { cause }: Speaker,
    options: PublishOptions | undefined,
    admit: Admit,
  ): Receipt {
    const outbox = cause?.outbox;
    const budget = this.#checks.draw(cause, message);
    const key = options?.dedupeKey;
    // What is refused for another reason is given back.
    try {
      return outbox === undefined
        ? this.#nowOrLater(message, key, admit, budget)
        : this.#hold(outbox, message, key, admit, budget);
    } catch (error) {
      budget?.giveBack();
      throw error;
    }
  }

  #nowOrLater(
    message: Envelope,
    key: string | undefined,
    admit: Admit,
    budget: Budget | undefined,
  ): Receipt {
    const now = this.#parts.now();
    if (message.at > now) return this.#later(message, message.at - now, key, admit, budget);
    const receipt = admit(message);
    if (key !== undefined) this.#remember(message, key, receipt, now);
    return receipt;
  }

  #later(
    message: Envelope,
    delayMs: number,
    key: string | undefined,
    admit: Admit,
    budget: Budget | undefined,
  ): Receipt {
    const withdrawn = (): void => {
      budget?.giveBack();
      if (key === undefined) return;
      this.#parts.dedupe.forget(message.from, message.topic, key, scheduled);
    };
    const scheduled = this.#parts.schedule.add(message, delayMs, {
      admit: () => {
        const receipt = this.#orBury(message, () => admit(message));
        if (receipt === undefined) withdrawn();
        return receipt;
      },
      withdrawn,
    });
    if (key !== undefined) this.#remember(message, key, scheduled, message.at - delayMs);
    return scheduled;
  }

  #remember(message: Envelope, key: string, receipt: Receipt, now: number): void {
    this.#parts.dedupe.remember(message.from, message.topic, key, receipt, now);
  }

  /** What is wrong with it now is said now; what comes between is found when it leaves. */
  #hold(
    outbox: Outbox,
    message: Envelope,
    key: string | undefined,
    admit: Admit,
    budget: Budget | undefined,
  ): Receipt {
    const { schedule } = this.#parts;
    const isDue = message.at <= this.#parts.now();
    if (isDue && message.to !== undefined) this.#checks.checkRecipient(message);
    const giveBack = (): void => budget?.giveBack();
    const held = schedule.hold(message, {
      admit: () => {
        const receipt = this.#letOut(message, key, admit, budget);
        if (receipt === undefined || receipt.duplicate) giveBack();
        return receipt;
      },
      withdrawn: giveBack,
      watched: () => {
        outbox.watched = true;
      },
    });
    outbox.hold(held, key === undefined ? undefined : heldKey(message.from, message.topic, key));
    return held;
  }

  /** The handler has succeeded; but another may have said it with the same key meanwhile. */
  #letOut(
    message: Envelope,
    key: string | undefined,
    admit: Admit,
    budget: Budget | undefined,
  ): Receipt | undefined {
    const known = key === undefined ? undefined : this.#known(message.from, message.topic, key);
    if (known !== undefined) return known;
    const said = this.#parts.scribe.saidNow(message);
    return this.#orBury(said, () => this.#nowOrLater(said, key, admit, budget));
  }

  /** Counted, and a letter: nobody is left to throw a refusal at. */
  #orBury(message: Envelope, admit: () => Receipt): Receipt | undefined {
    try {
      return admit();
    } catch (error) {
      this.#parts.refusals.bury(message, error);
      return undefined;
    }
  }

  #known(from: string, topic: string, key: string): Receipt | undefined {
    const { dedupe, ledger } = this.#parts;
    const receipt = dedupe.find(from, topic, key, this.#parts.now());
    if (receipt !== undefined) ledger.duplicates++;
    return receipt;
  }
}

/** Checks the option `dedupeKey`. */
export function checkKey(key: unknown): void {
  if (typeof key !== 'string' || key === '') throw misuse('dedupeKey', 'a non-empty string', key);
}

/** What a held message is known by in its outbox, which may hold the words of several speakers. */
function heldKey(from: string, topic: string, key: string): string {
  return `${from}\0${topic}\0${key}`;
}
