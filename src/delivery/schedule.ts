import { Deferred } from '../kernel/deferred.ts';
import type { Env, Timer } from '../kernel/env.ts';
import { printAsJson } from '../kernel/inspection.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Ledger } from './ledger.ts';
import type { Receipt, Settled } from './receipt.ts';

const NOTHING: Settled = { handled: 0, deadLettered: [], expired: 0, cancelled: 0 };

/** Makes a message that was delayed or held an admitted one; undefined when it is refused now. */
type Admit = () => Receipt | undefined;

/** What whoever keeps a message back hears of it. */
export interface Delayer {
  /** It leaves. */
  readonly admit: Admit;
  /** It was taken back: it is as if it had never been said. */
  withdrawn?(): void;
}

/** What whoever holds a message hears of it. */
export interface Holder extends Delayer {
  /** Somebody asks what becomes of it while it is held. */
  watched(): void;
}

/** Messages that are not due, or are held. They are routed and admitted when they leave. */
export class Schedule {
  readonly #env: Env;
  readonly #ledger: Ledger;
  readonly #waiting = new Set<Scheduled>();

  constructor(env: Env, ledger: Ledger) {
    this.#env = env;
    this.#ledger = ledger;
  }

  /** It leaves when it is due. */
  add(message: Envelope, delayMs: number, delayer: Delayer): Receipt {
    const scheduled = this.#keep(message, delayer, undefined);
    scheduled.timer = this.#env.setTimer(delayMs, () => scheduled.letGo(), {
      keepAlive: true,
      label: 'delayed message',
    });
    return scheduled;
  }

  /** Nothing but `letGo` and `cancel` ends it. */
  hold(message: Envelope, holder: Holder): Scheduled {
    return this.#keep(message, holder, holder);
  }

  /** What has not left yet, and fits. */
  matching(matches: (message: Envelope) => boolean): Envelope[] {
    return [...this.#waiting].map(({ message }) => message).filter(matches);
  }

  /** Takes back everything that has not left and fits; returns what it was. */
  cancelWhere(matches: (message: Envelope, held: boolean) => boolean): Envelope[] {
    const taken = [...this.#waiting].filter(({ message, held }) => matches(message, held));
    for (const scheduled of taken) scheduled.cancel();
    return taken.map((scheduled) => scheduled.message);
  }

  #keep(message: Envelope, delayer: Delayer, holder: Holder | undefined): Scheduled {
    const remove = (): boolean => this.#remove(scheduled);
    const scheduled: Scheduled = new Scheduled(message, delayer, remove, holder);
    this.#waiting.add(scheduled);
    this.#ledger.scheduled++;
    return scheduled;
  }

  #remove(scheduled: Scheduled): boolean {
    if (!this.#waiting.delete(scheduled)) return false;
    scheduled.timer?.cancel();
    this.#ledger.scheduled--;
    return true;
  }
}

/** The receipt of a message that leaves later: it becomes that of the admitted one then. */
export class Scheduled implements Receipt {
  readonly message: Envelope;
  timer: Timer | undefined;
  readonly #delayer: Delayer;
  readonly #remove: () => boolean;
  readonly #holder: Holder | undefined;
  #receipt: Receipt | undefined;
  #over = false;
  #settled: Deferred<Settled> | undefined;
  #accepted: Deferred<void> | undefined;

  constructor(
    message: Envelope,
    delayer: Delayer,
    remove: () => boolean,
    holder: Holder | undefined,
  ) {
    this.message = message;
    this.#delayer = delayer;
    this.#remove = remove;
    this.#holder = holder;
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

  /** True when another has said it with the same key while it was held. */
  get duplicate(): boolean {
    return this.#receipt?.duplicate ?? false;
  }

  get accepted(): Promise<void> {
    this.#watch();
    if (this.#accepted === undefined) {
      this.#accepted = new Deferred<void>();
      this.#tell();
    }
    return this.#accepted.promise;
  }

  get settled(): Promise<Settled> {
    this.#watch();
    if (this.#settled === undefined) {
      this.#settled = new Deferred<Settled>();
      this.#tell();
    }
    return this.#settled.promise;
  }

  /** It waits for its handler, not for the clock. */
  get held(): boolean {
    return this.#holder !== undefined && !this.#over;
  }

  cancel(): boolean {
    // What was held may have left for a delay of its own.
    if (!this.#remove()) return this.#receipt?.cancel() ?? false;
    this.#over = true;
    this.#delayer.withdrawn?.();
    this.#tell();
    return true;
  }

  /** It is due, or its handler has succeeded. */
  letGo(): void {
    if (!this.#remove()) return;
    this.#receipt = this.#delayer.admit();
    this.#over = true;
    this.#tell();
  }

  toJSON(): Record<string, unknown> {
    const { id, recipients, overflowed, duplicate } = this;
    return { id, recipients, overflowed, duplicate };
  }

  #watch(): void {
    if (this.held) this.#holder?.watched();
  }

  #tell(): void {
    if (!this.#over) return;
    // A message that was taken back, or refused when it was to leave, has no deliveries to wait for.
    this.#settled?.resolve(this.#receipt?.settled ?? NOTHING);
    this.#accepted?.resolve(this.#receipt?.accepted);
  }
}
printAsJson(Scheduled.prototype);
