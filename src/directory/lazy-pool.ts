import type { Agent } from '../agents/agent.ts';
import type { Context } from '../delivery/context.ts';
import { RestartError, RestartedError } from '../delivery/restart-errors.ts';
import { Deferred } from '../kernel/deferred.ts';
import type { Env, Timer } from '../kernel/env.ts';
import { envOf } from '../kernel/env-of.ts';
import { misuse } from '../kernel/errors.ts';
import { isA } from '../kernel/is-a.ts';
import { type Linked, LinkedList } from '../kernel/linked-list.ts';
import type { Message } from '../message/message.ts';
import type { LazyInstance, LazyTerms } from './lazy.ts';

/** How long one that was told to stop may go on, in milliseconds. */
const GRACE_MS = 1_000;

/** What there is of one key. It takes part in the list of those that are idle. */
class Seat implements Linked<Seat> {
  readonly key: string;
  previous: Seat | undefined = undefined;
  next: Seat | undefined = undefined;
  instance: LazyInstance | undefined = undefined;
  /** It counts among those that there may be. */
  counts = false;
  /** Grows when what is there, or begins, is given up. */
  life = 0;
  /** Messages that it works on or that wait for it. */
  busy = 0;
  idle = false;
  idleSince = 0;
  /** Settled when whoever came last is done. */
  tail: Promise<void> = Promise.resolve();

  constructor(key: string) {
    this.key = key;
  }
}

/** The instances of one lazy agent. Each key has one line: work, and being put away, wait in it. */
export class LazyPool {
  readonly #terms: LazyTerms & { readonly agent: Agent };
  readonly #env: Env;
  readonly #seats = new Map<string, Seat>();
  readonly #idle = new LinkedList<Seat>();
  readonly #kept = new Map<string, unknown>();
  /** Instances that there are, that begin, or that are being put away. */
  #live = 0;
  #timer: Timer | undefined;
  /** Who waits for room. */
  #room: Deferred<void>[] = [];

  constructor(terms: LazyTerms & { readonly agent: Agent }) {
    this.#terms = terms;
    this.#env = envOf(terms.agent) as Env;
  }

  keys(): string[] {
    return [...this.#seats.values()].filter((seat) => seat.instance).map(({ key }) => key);
  }

  async handle(message: Message, context: Context): Promise<unknown> {
    const key: unknown = this.#terms.key(message);
    if (typeof key !== 'string') throw misuse('The key of a lazy agent', 'a string', key);
    const seat = this.#seatOf(key);
    return this.#inLine(seat, () => this.#work(seat, message, context));
  }

  /** Puts it away when it is its turn; without a key all of them. */
  async passivate(key?: string): Promise<void> {
    const seats = key === undefined ? [...this.#seats.values()] : [this.#seats.get(key)];
    await Promise.all(
      seats.map((seat) => seat && this.#inLine(seat, () => this.#putAway(seat, () => true))),
    );
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.passivate();
  }

  // ---- the line of a key

  #seatOf(key: string): Seat {
    const known = this.#seats.get(key);
    if (known !== undefined) return known;
    const seat = new Seat(key);
    this.#seats.set(key, seat);
    return seat;
  }

  async #inLine<T>(seat: Seat, turn: () => Promise<T>): Promise<T> {
    seat.busy++;
    this.#isUsed(seat);
    const before = seat.tail;
    const over = new Deferred<void>();
    seat.tail = over.promise;
    await before;
    try {
      return await turn();
    } finally {
      over.resolve();
      if (--seat.busy === 0) this.#rest(seat);
    }
  }

  #isUsed(seat: Seat): void {
    if (seat.idle) this.#idle.remove(seat);
    seat.idle = false;
  }

  /** Nobody waits for it: it goes to the end of those that may be put away. */
  #rest(seat: Seat): void {
    if (seat.instance === undefined) {
      this.#seats.delete(seat.key);
      return;
    }
    seat.idle = true;
    seat.idleSince = this.#env.now();
    this.#idle.add(seat);
    this.#arm();
    this.#makeRoom();
  }

  // ---- work

  async #work(seat: Seat, message: Message, context: Context): Promise<unknown> {
    context.signal.throwIfAborted();
    try {
      return await this.#orGiveUp(seat, context.signal, this.#call(seat, message, context));
    } catch (error) {
      if (!isA(error, RestartError)) throw error;
      this.#drop(seat);
      throw new RestartedError(this.#nameOf(seat), error);
    }
  }

  async #call(seat: Seat, message: Message, context: Context): Promise<unknown> {
    seat.instance ??= await this.#start(seat);
    return seat.instance.handle(message, context);
  }

  async #start(seat: Seat): Promise<LazyInstance> {
    const { life } = seat;
    while (this.#live >= this.#terms.maxInstances) {
      await this.#whenRoom();
      if (seat.life === life) continue;
      this.#room.shift()?.resolve();
      throw givenUp(seat);
    }
    this.#live++;
    seat.counts = true;
    try {
      const { agent, start } = this.#terms;
      const instance = await start(seat.key, { kept: this.#kept.get(seat.key), agent });
      if (seat.life !== life) throw givenUp(seat);
      if (typeof instance?.handle === 'function') return instance;
      throw misuse('What start returns', 'an object with handle', instance);
    } catch (error) {
      if (seat.life === life) this.#drop(seat);
      throw error;
    }
  }

  /** One that does not end though it was told to is dropped: the next of its key gets another. */
  #orGiveUp(seat: Seat, signal: AbortSignal, work: Promise<unknown>): Promise<unknown> {
    const over = new Deferred<unknown>();
    let timer: Timer | undefined;
    const giveUp = (): void => {
      this.#drop(seat);
      over.reject(signal.reason);
    };
    const aborted = (): void => {
      timer = this.#env.setTimer(GRACE_MS, giveUp, { label: `grace of ${this.#nameOf(seat)}` });
    };
    const end = (): void => {
      timer?.cancel();
      signal.removeEventListener('abort', aborted);
    };
    signal.addEventListener('abort', aborted, { once: true });
    work.then(
      (value) => {
        end();
        over.resolve(value);
      },
      (error: unknown) => {
        end();
        over.reject(error);
      },
    );
    return over.promise;
  }

  #drop(seat: Seat): void {
    seat.instance = undefined;
    seat.life++;
    if (!seat.counts) return;
    seat.counts = false;
    this.#live--;
    this.#room.shift()?.resolve();
  }

  #nameOf(seat: Seat): string {
    return `${this.#terms.agent.name} ${seat.key}`;
  }

  // ---- being put away

  /** In its line: nobody works with it now. */
  async #putAway(seat: Seat, still: () => boolean): Promise<void> {
    const { instance } = seat;
    if (instance === undefined || !still()) return;
    try {
      if (instance.passivate !== undefined) await this.#within(GRACE_MS, seat, instance);
    } finally {
      this.#drop(seat);
    }
  }

  /** Its line does not wait for ever for what it has to say. */
  #within(graceMs: number, seat: Seat, instance: LazyInstance): Promise<void> {
    const over = new Deferred<void>();
    const label = `end of ${this.#nameOf(seat)}`;
    const late = (): void => over.reject(new Error(`${label} took more than ${graceMs} ms`));
    const timer = this.#env.setTimer(graceMs, late, { keepAlive: true, label });
    const said = async (): Promise<unknown> => instance.passivate?.();
    said().then(
      (kept) => {
        timer.cancel();
        if (!over.settled) this.#keep(seat.key, kept);
        over.resolve();
      },
      (error: unknown) => {
        timer.cancel();
        over.reject(error);
      },
    );
    return over.promise;
  }

  #keep(key: string, kept: unknown): void {
    this.#kept.delete(key);
    if (this.#terms.maxKept === 0) return;
    this.#kept.set(key, kept);
    if (this.#kept.size <= this.#terms.maxKept) return;
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      return;
    }
  }

  #retire(seat: Seat): void {
    // Who came meanwhile needs it: then it stays.
    const unused = (): boolean => seat.busy === 1;
    this.#inLine(seat, () => this.#putAway(seat, unused)).catch((error: unknown) => {
      const { log } = this.#terms.agent;
      log.error('an instance could not be put away', { key: seat.key, error: String(error) });
    });
  }

  #whenRoom(): Promise<void> {
    const room = new Deferred<void>();
    this.#room.push(room);
    this.#makeRoom();
    return room.promise;
  }

  /** The least recently used goes for whoever waits; when all work, the next that rests. */
  #makeRoom(): void {
    if (this.#room.length === 0) return;
    const { first: oldest } = this.#idle;
    if (oldest !== undefined) this.#retire(oldest);
  }

  /** One timer for all: for the one that is idle longest. */
  #arm(): void {
    const { idleMs } = this.#terms;
    if (this.#timer !== undefined || idleMs === Infinity) return;
    const { first: oldest } = this.#idle;
    if (oldest === undefined) return;
    const dueMs = Math.max(0, oldest.idleSince + idleMs - this.#env.now());
    this.#timer = this.#env.setTimer(dueMs, () => this.#idleOver(), { label: 'idle instances' });
  }

  #idleOver(): void {
    this.#timer = undefined;
    const before = this.#env.now() - this.#terms.idleMs;
    for (const seat of this.#idle.toArray()) {
      if (seat.idleSince > before) break;
      this.#retire(seat);
    }
    this.#arm();
  }
}

function givenUp({ key }: Seat): Error {
  return new Error(`The instance of ${key} was given up before it had begun`);
}
