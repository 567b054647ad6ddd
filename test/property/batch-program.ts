import type {
  Agent,
  BatchContext,
  Message,
  Overflow,
  SubscriptionHandle,
} from '../../src/index.ts';
import { MessageBus } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const TIMEOUT_MS = 40;
const GRACE_MS = 10;
const STEPS = 40;
const OVERFLOWS: readonly Overflow[] = ['reject', 'drop-oldest', 'drop-newest', 'wait'];

/** What ends a program before its time, if anything does. */
const ENDS = ['unsubscribe', 'leave', 'drain', 'close', 'abort', 'none'] as const;

interface Said {
  readonly key: number | undefined;
}

/** Runs the batches that a seed makes up; throws at the first thing that must not be. */
export async function runBatches(seed: number): Promise<void> {
  const world = new BatchWorld(seed);
  await world.run();
  if (world.blamed.length > 0) throw new Error(world.blamed.join('; '));
}

class BatchWorld {
  readonly #random: () => number;
  readonly #env: SimEnv;
  readonly #bus: MessageBus;
  readonly #max: number;
  readonly #keyed: boolean;
  readonly #serves: boolean;
  readonly #retries: boolean;
  readonly #hasMiddleware: boolean;
  readonly #waitMs: number;
  readonly #capacity: number;
  readonly #concurrency: number;
  readonly #rated: boolean;
  readonly #settled: Promise<unknown>[] = [];
  /** Deliveries that have begun and have no outcome, by key: nobody else of the key may begin. */
  readonly #held = new Map<unknown, Map<string, 'running' | 'retry'>>();
  readonly #lastSeq = new Map<unknown, number>();
  readonly #ended = new Map<string, number>();
  readonly #retried = new Set<string>();
  readonly #blamed: string[] = [];
  #handle: SubscriptionHandle | undefined;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const choose =
      seed % 2 === 0 ? undefined : (lanes: readonly unknown[]) => this.#below(lanes.length);
    this.#env = new SimEnv({ seed, ...(choose && { choose }) });
    this.#bus = new MessageBus({ env: this.#env, graceMs: GRACE_MS, handlerTimeoutMs: TIMEOUT_MS });
    this.#max = 1 + this.#below(4);
    this.#keyed = this.#chance(0.5);
    this.#serves = this.#chance(0.4);
    this.#retries = this.#chance(0.5);
    this.#hasMiddleware = this.#chance(0.3);
    this.#waitMs = this.#pick([0, 5, Infinity]);
    this.#capacity = this.#pick([1, 2, 3, 20]);
    this.#concurrency = 1 + this.#below(3);
    this.#rated = this.#chance(0.2);
  }

  async run(): Promise<void> {
    this.#watch();
    const agent = this.#subscribe();
    const end = this.#pick(ENDS);
    const endAt = this.#below(STEPS);
    for (let step = 0; step < STEPS; step++) {
      if (step === endAt) this.#end(end, agent);
      const dice = this.#random();
      if (dice < 0.65) this.#say();
      else if (dice < 0.8) await this.#env.advance(this.#pick([0, 1, 7, 60]));
      else if (dice < 0.9) await this.#settle(agent);
      else if (end !== 'leave') this.#try(() => (dice < 0.95 ? agent.pause() : agent.resume()));
      this.#checkBooks(`step ${step}`);
    }
    this.#try(() => agent.resume());
    this.#later(this.#bus.close({ timeoutMs: 500 }));
    await this.#env.run();
    await Promise.all(this.#settled);
    this.#checkEnd();
  }

  /** When all is still, whoever is free has taken what is due. */
  async #settle(agent: Agent): Promise<void> {
    await this.#env.settle();
    const { status, running, queued } = agent.inspect();
    const { status: busStatus, queued: waits } = this.#bus.inspect();
    if (running > this.#concurrency) throw this.#blame('running', String(running));
    if (status === 'paused' || running === this.#concurrency || this.#rated) return;
    // Behind a key that is held a batch may be due for long.
    if (this.#keyed && running > 0) return;
    const isFull = queued >= this.#capacity && !this.#retries;
    const isDue = this.#waitMs === 0 || isFull || busStatus !== 'open';
    const most = isDue ? 0 : (this.#max - 1) * (this.#keyed ? 3 : 1);
    if (this.#keyed && this.#retries) return;
    if (waits > most) throw this.#blame('left lying', `${waits}, running ${running}`);
  }

  #subscribe(): Agent {
    const agent = this.#bus.register('a', {
      capacity: this.#capacity,
      concurrency: this.#concurrency,
      overflow: this.#pick(OVERFLOWS),
      onHang: this.#pick(['release', 'hold']),
    });
    const options = {
      batch: { max: this.#max, waitMs: this.#waitMs },
      ...(this.#keyed && { key: ({ payload }: Message) => (payload as Said).key }),
      ...(this.#retries && { retry: { maxAttempts: 1 + this.#below(3), baseMs: 3 } }),
      ...(this.#rated && { rateLimit: { limit: 1, perMs: 4 } }),
    };
    const handle = (messages: readonly Message[], context: BatchContext): unknown =>
      this.#handleBatch(messages, context);
    if (this.#serves) this.#handle = agent.serveBatch('x', handle as never, options);
    else this.#handle = agent.subscribeBatch('x', handle, options);
    if (this.#hasMiddleware) this.#useMiddleware();
    return agent;
  }

  #useMiddleware(): void {
    this.#bus.use({
      name: 'chance',
      handle: (_message, _context, next) => {
        const dice = this.#random();
        if (dice < 0.1) return undefined;
        if (dice < 0.2) throw new Error('middleware');
        return dice < 0.5 ? Promise.resolve().then(next) : next();
      },
    });
  }

  #say(): void {
    const key = this.#pick([undefined, 1, 2]);
    const priority = this.#pick([2, 5, 5, 8]);
    this.#try(() => {
      if (this.#serves) {
        const signal = this.#chance(0.2) ? AbortSignal.abort(new Error('gone')) : undefined;
        const timeoutMs = this.#pick([3, 20, 2_000]);
        const asked = this.#bus.request(
          'x',
          { key },
          { priority, timeoutMs, ...(signal && { signal }) },
        );
        this.#later(asked.catch(() => {}));
      } else {
        const ttlMs = this.#pick([0, 6, Infinity, Infinity]);
        this.#later(this.#bus.publish('x', { key }, { priority, ttlMs }).settled);
      }
    });
  }

  #handleBatch(messages: readonly Message[], context: BatchContext): unknown {
    this.#checkBatch(messages);
    if (context.size !== messages.length) throw this.#blame('size', String(context.size));
    if (this.#chance(0.05)) this.#say();
    if (this.#chance(0.01)) this.#handle?.unsubscribe();
    const parts = messages.map(() => (this.#chance(0.3) ? new Error('part') : 'ok'));
    const dice = this.#random();
    if (dice < 0.1) throw new Error('all');
    if (dice < 0.15) return parts.slice(1);
    if (dice < 0.2) return this.#after(5, () => Promise.reject(new Error('all')));
    if (dice < 0.23) return new Promise(() => {});
    if (dice < 0.5) return this.#after(this.#pick([0, 2, 45]), () => parts);
    return parts;
  }

  #after(ms: number, then: () => unknown): Promise<unknown> {
    return new Promise((resolve) => this.#env.setTimer(ms, () => resolve(then())));
  }

  #end(how: (typeof ENDS)[number], agent: Agent): void {
    if (how === 'unsubscribe') this.#handle?.unsubscribe();
    else if (how === 'leave') this.#later(agent.leave());
    else if (how === 'drain') this.#later(this.#bus.drain({ timeoutMs: 300 }));
    else if (how === 'close') this.#later(this.#bus.close({ timeoutMs: 50 }));
    else if (how === 'abort') this.#later(this.#bus.close({ mode: 'abort' }));
  }

  // ---- what must hold

  #checkBatch(messages: readonly Message[]): void {
    if (messages.length === 0 || messages.length > this.#max) {
      throw this.#blame('size', String(messages.length));
    }
    if (!this.#keyed) return;
    const [key, ...others] = new Set(messages.map(({ payload }) => (payload as Said).key));
    if (others.length > 0) throw this.#blame('keys in one batch', String([key, ...others]));
    if (key === undefined) return;
    this.#checkKey(key, messages);
  }

  #checkKey(key: unknown, messages: readonly Message[]): void {
    const held = this.#held.get(key);
    const ids = new Set(messages.map(({ id }) => id));
    for (const [id, state] of held ?? []) {
      // What its middleware threw is out of this very batch, and waits for its retry already.
      const isOut = state === 'retry' && !this.#hasMiddleware;
      if (isOut || (state === 'running' && !ids.has(id)))
        throw this.#blame('a key that is held', id);
    }
    let last = 0;
    for (const { seq } of messages) {
      if (seq <= last) throw this.#blame('order in a batch', String(seq));
      last = seq;
    }
    const before = this.#lastSeq.get(key) ?? 0;
    const first = messages.find(({ id }) => !this.#retried.has(id));
    if (first !== undefined && first.seq <= before) throw this.#blame('order', String(first.seq));
    this.#lastSeq.set(key, Math.max(before, last));
  }

  #watch(): void {
    const { events } = this.#bus;
    const keyOf = ({ payload }: Message): unknown => (payload as Said).key;
    const mark = (message: Message, state: 'running' | 'retry' | undefined): void => {
      const key = keyOf(message);
      const held = this.#held.get(key) ?? new Map<string, 'running' | 'retry'>();
      this.#held.set(key, held);
      if (state === undefined) held.delete(message.id);
      else held.set(message.id, state);
    };
    const ended = (message: Message): void => {
      mark(message, undefined);
      this.#ended.set(message.id, (this.#ended.get(message.id) ?? 0) + 1);
    };
    events.on('started', ({ message }) => mark(message, 'running'));
    events.on('retry', ({ message }) => {
      this.#retried.add(message.id);
      mark(message, 'retry');
    });
    events.on('handled', ({ message }) => ended(message));
    events.on('expired', ({ message }) => ended(message));
    events.on('cancelled', ({ message }) => ended(message));
    events.on('dead-lettered', ({ message }) => ended(message));
  }

  #checkBooks(where: string): void {
    const books = this.#bus.inspect();
    const { waiting, queued, inFlight, deferred, retryWait } = books;
    const { handled, deadLettered, expired, cancelled } = books;
    const open = [waiting, queued, inFlight, deferred, retryWait];
    const sum = [...open, handled, deadLettered, expired, cancelled].reduce((a, b) => a + b, 0);
    if (sum !== books.admitted || open.some((count) => count < 0)) {
      throw this.#blame(`books at ${where}`, JSON.stringify(books));
    }
    const info = this.#bus.agents()[0];
    if (info === undefined) return;
    // With a retry what runs keeps its place, without one it does not.
    const kept = this.#retries ? inFlight : 0;
    if (info.queued !== queued + retryWait + kept) {
      throw this.#blame(`places at ${where}`, `${info.queued} taken, ${JSON.stringify(books)}`);
    }
  }

  #checkEnd(): void {
    this.#checkBooks('the end');
    const { admitted, queued, waiting, retryWait, inFlight } = this.#bus.inspect();
    const open = queued + waiting + retryWait + inFlight;
    if (open > 0) throw this.#blame('left open', String(open));
    const timers = this.#env.pendingTimers();
    if (timers.length > 0) throw this.#blame('timers', JSON.stringify(timers));
    let ends = 0;
    for (const [id, count] of this.#ended) {
      if (count !== 1) throw this.#blame('outcomes', `${id}: ${count}`);
      ends += count;
    }
    if (ends !== admitted) throw this.#blame('outcomes', `${ends} of ${admitted}`);
  }

  #later(promise: Promise<unknown>): void {
    this.#settled.push(promise);
  }

  #try(call: () => void): void {
    try {
      call();
    } catch {
      // Refused: the bus is closed, or the agent has left.
    }
  }

  /** What a handler throws is no more than a dead letter: it is kept for the end. */
  #blame(what: string, found: string): Error {
    const text = `${what}: ${found}`;
    this.#blamed.push(text);
    return new Error(text);
  }

  get blamed(): readonly string[] {
    return this.#blamed;
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T;
  }
}
