import type { Attempt } from '../delivery/attempt.ts';
import type { Recipient } from '../delivery/delivery.ts';
import type { Message } from '../message/message.ts';
import { type BusInspection, inspectBus } from '../wiring/inspection.ts';
import type { Wiring } from '../wiring/wiring.ts';
import { InvariantError } from './errors.ts';
import type { Transcript } from './transcript.ts';

/** What the library promises of every bus, looked at from outside. */
export interface Invariants {
  /**
   * Throws InvariantError `TELLASK_INVARIANT` unless every admitted delivery is in exactly one
   * state, none has two outcomes, and what one sender said with one priority to one mailbox was begun
   * in its order; on a closed bus also if anything is left. It holds at any instant, and `close`
   * looks by itself.
   */
  check(): void;
  /** What does not hold, a line each. */
  violations(): readonly string[];
}

/** First attempts remembered: a run that does not end must not eat the memory of its test. */
const MAX_BEGUN = 200_000;

interface Begun {
  readonly home: Recipient;
  readonly message: Message;
}

/** Checks what DESIGN calls promises, from the books and from what was told. */
export class BusInvariants implements Invariants {
  readonly #wiring: Wiring;
  readonly #transcript: Transcript;
  readonly #begun: Begun[] = [];

  constructor(wiring: Wiring, transcript: Transcript) {
    this.#wiring = wiring;
    this.#transcript = transcript;
  }

  /** A handler begins. Only first attempts that nothing may put off keep the order. */
  began({ attempt, delivery }: Attempt): void {
    const { subscription, home, message, flags } = delivery;
    if (attempt > 1 || flags.replayed || this.#begun.length >= MAX_BEGUN) return;
    const { keyed, batcher, rate, busy } = subscription;
    if (keyed ?? batcher ?? rate ?? busy) return;
    this.#begun.push({ home, message });
  }

  check(): void {
    const violations = this.violations();
    if (violations.length > 0) throw new InvariantError(violations);
  }

  violations(): string[] {
    const now = inspectBus(this.#wiring);
    return [
      ...equation(now),
      ...(now.status === 'closed' ? leavings(now) : this.#untold(now)),
      // Injected faults lose messages, double them and overtake others on purpose.
      ...(this.#wiring.env.faults === undefined ? this.#doubles() : []),
      ...(this.#wiring.env.faults === undefined ? this.#disorder() : []),
    ];
  }

  /** What listeners were told of, against the books. What fails on `$` topics is not told. */
  *#untold(now: BusInspection): Iterable<string> {
    const told = this.#transcript.seen;
    if (this.#transcript.left > 0) return;
    const count = (what: string): number => told.filter((one) => one.what === what).length;
    for (const outcome of ['handled', 'expired', 'cancelled'] as const) {
      const heard = count(outcome);
      if (heard !== now[outcome]) yield `${now[outcome]} ${outcome}, but ${heard} were told`;
    }
    const letters = count('dead-lettered');
    if (letters > now.deadLettered) yield `${now.deadLettered} letters, but ${letters} were told`;
  }

  *#doubles(): Iterable<string> {
    // Copies of retained values were not admitted with the others.
    if (this.#wiring.retained.size > 0 || !this.#hasDoubles()) return;
    const copies = new Map<string, number>();
    const ends = new Map<string, string[]>();
    for (const { what, args } of this.#transcript.seen) {
      if (what === 'admitted') copies.set(idOf(args[0]), (args[1] as string[]).length);
      if (!OUTCOMES.has(what)) continue;
      const { message, recipient } = args[0] as { message: Message; recipient: string };
      const list = ends.get(message.id) ?? [];
      list.push(`${what} at ${recipient}`);
      ends.set(message.id, list);
    }
    for (const [id, list] of ends) {
      const admitted = copies.get(id);
      if (admitted === undefined || list.length <= admitted) continue;
      yield `${id} has ${list.length} outcomes for ${admitted} deliveries: ${list.join(', ')}`;
    }
  }

  /** Whether to look more closely: every schedule that is explored is asked this. */
  #hasDoubles(): boolean {
    const left = new Map<number, number>();
    for (const { what, args } of this.#transcript.seen) {
      if (what === 'admitted') left.set((args[0] as Message).seq, (args[1] as string[]).length);
      if (!OUTCOMES.has(what)) continue;
      const { seq } = (args[0] as { message: Message }).message;
      const open = left.get(seq);
      if (open === 0) return true;
      if (open !== undefined) left.set(seq, open - 1);
    }
    return false;
  }

  *#disorder(): Iterable<string> {
    const places = new Map<string, number>();
    for (const { what, args } of this.#transcript.seen) {
      if (what === 'admitted') places.set(idOf(args[0]), places.size);
    }
    const last = new Map<Recipient, Map<string, Message>>();
    for (const { home, message } of this.#begun) {
      const lines = last.get(home) ?? new Map<string, Message>();
      last.set(home, lines);
      const line = `${message.priority} ${message.from}`;
      const before = lines.get(line);
      lines.set(line, message);
      if (before === undefined) continue;
      const [one, other] = [places.get(before.id), places.get(message.id)];
      if (one === undefined || other === undefined || one <= other) continue;
      yield `${home.label} began ${before.id} before ${message.id}, which ${message.from} said first`;
    }
  }
}

const OUTCOMES: ReadonlySet<string> = new Set(['handled', 'dead-lettered', 'expired', 'cancelled']);
const OPEN = ['waiting', 'queued', 'inFlight', 'deferred', 'retryWait'] as const;
const ENDED = ['handled', 'deadLettered', 'expired', 'cancelled'] as const;

function idOf(message: unknown): string {
  return (message as Message).id;
}

function* equation(now: BusInspection): Iterable<string> {
  const states = [...OPEN, ...ENDED];
  const sum = states.reduce((total, state) => total + now[state], 0);
  const parts = states.filter((state) => now[state] !== 0).map((state) => `${now[state]} ${state}`);
  if (sum !== now.admitted) yield `${now.admitted} admitted, but ${parts.join(' + ')} = ${sum}`;
  for (const state of [...states, 'scheduled'] as const) {
    if (now[state] < 0) yield `${now[state]} ${state}`;
  }
}

/** What may not be there any more once the bus is closed. */
function* leavings(now: BusInspection): Iterable<string> {
  for (const what of [...OPEN, 'scheduled', 'pendingRequests', 'awaitingResponder'] as const) {
    if (now[what] > 0) yield `closed, but ${now[what]} ${what}`;
  }
}
