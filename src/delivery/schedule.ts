import { Deferred } from '../kernel/deferred.ts';
import type { Env, Timer } from '../kernel/env.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Ledger } from './ledger.ts';
import type { Receipt, Settled } from './receipt.ts';

const NOTHING: Settled = { handled: 0, deadLettered: [], expired: 0, cancelled: 0 };

/** Messages that are not due yet. They are routed and admitted when they are. */
export class Schedule {
  readonly #env: Env;
  readonly #ledger: Ledger;
  readonly #waiting = new Set<Scheduled>();

  constructor(env: Env, ledger: Ledger) {
    this.#env = env;
    this.#ledger = ledger;
  }

  /** `admit` runs when the message is due; what it throws becomes the receipt's refusal. */
  add(message: Envelope, delayMs: number, admit: () => Receipt | undefined): Receipt {
    const scheduled: Scheduled = new Scheduled(message, admit, () => this.#remove(scheduled));
    this.#waiting.add(scheduled);
    this.#ledger.scheduled++;
    scheduled.timer = this.#env.setTimer(delayMs, () => this.#due(scheduled), {
      keepAlive: true,
      label: 'delayed message',
    });
    return scheduled;
  }

  /** What is not due yet, and fits. */
  matching(matches: (message: Envelope) => boolean): Envelope[] {
    return [...this.#waiting].map(({ message }) => message).filter(matches);
  }

  /** Takes back everything that is not due and fits; returns what it was. */
  cancelWhere(matches: (message: Envelope) => boolean): Envelope[] {
    const taken = [...this.#waiting].filter(({ message }) => matches(message));
    for (const scheduled of taken) scheduled.cancel();
    return taken.map((scheduled) => scheduled.message);
  }

  #due(scheduled: Scheduled): void {
    this.#remove(scheduled);
    scheduled.admitNow();
  }

  #remove(scheduled: Scheduled): boolean {
    if (!this.#waiting.delete(scheduled)) return false;
    scheduled.timer?.cancel();
    this.#ledger.scheduled--;
    return true;
  }
}

/** The receipt of a delayed message: it becomes that of the admitted one when it is due. */
class Scheduled implements Receipt {
  readonly message: Envelope;
  readonly duplicate = false;
  timer: Timer | undefined;
  readonly #admit: () => Receipt | undefined;
  readonly #remove: () => boolean;
  #receipt: Receipt | undefined;
  #over = false;
  #settled: Deferred<Settled> | undefined;
  #accepted: Deferred<void> | undefined;

  constructor(message: Envelope, admit: () => Receipt | undefined, remove: () => boolean) {
    this.message = message;
    this.#admit = admit;
    this.#remove = remove;
  }

  get id(): string {
    return this.message.id;
  }

  get recipients(): readonly string[] {
    return this.#receipt?.recipients ?? [];
  }

  get overflowed(): readonly string[] {
    return this.#receipt?.overflowed ?? [];
  }

  get accepted(): Promise<void> {
    if (this.#accepted === undefined) {
      this.#accepted = new Deferred<void>();
      this.#tell();
    }
    return this.#accepted.promise;
  }

  get settled(): Promise<Settled> {
    if (this.#settled === undefined) {
      this.#settled = new Deferred<Settled>();
      this.#tell();
    }
    return this.#settled.promise;
  }

  cancel(): boolean {
    if (!this.#remove()) return false;
    this.#over = true;
    this.#tell();
    return true;
  }

  admitNow(): void {
    this.#receipt = this.#admit();
    this.#over = true;
    this.#tell();
  }

  #tell(): void {
    if (!this.#over) return;
    // A message that was taken back, or refused when it was due, has no deliveries to wait for.
    this.#settled?.resolve(this.#receipt?.settled ?? NOTHING);
    this.#accepted?.resolve(this.#receipt?.accepted);
  }
}
