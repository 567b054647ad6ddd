import { expect, it } from 'vitest';
import { MessageBus, type MessageStream } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { expectBalanced } from '../flow/books.ts';

/** One stream, as its producer makes it and its reader reads it. */
interface Plan {
  readonly chunks: number;
  readonly highWaterMark: number;
  /** The producer throws instead of this chunk. */
  readonly throwsAt: number;
  /** The reader leaves after so many. */
  readonly leavesAt: number;
  readonly leavesBy: 'break' | 'cancel' | 'throw';
  /** Before so many of 8 chunks the producer, or the reader, waits for a request of its own. */
  readonly slowProducer: number;
  readonly slowReader: number;
  readonly relays: number;
  readonly synchronous: boolean;
}

function makePlan(below: (limit: number) => number): Plan {
  const chunks = below(7);
  const never = below(2) === 0;
  return {
    chunks,
    highWaterMark: 1 + below(3),
    throwsAt: below(3) === 0 ? 1 + below(chunks + 1) : Infinity,
    leavesAt: never ? Infinity : below(chunks + 2),
    leavesBy: (['break', 'cancel', 'throw'] as const)[below(3)] ?? 'break',
    slowProducer: below(9),
    slowReader: below(9),
    relays: below(3),
    synchronous: below(4) === 0,
  };
}

/** What one stream was seen to do. */
interface Seen {
  readonly plan: Plan;
  readonly chunks: unknown[];
  readonly ends: string[];
  mostUnread: number;
}

class StreamWorld {
  readonly bus: MessageBus;
  readonly env: SimEnv;
  readonly seen: Seen[] = [];
  /** Generators that began, and those whose `finally` ran. */
  readonly open = { begun: 0, ended: 0 };
  readonly #below: (limit: number) => number;

  constructor(seed: number) {
    const random = seededRandom(seed);
    this.#below = (limit) => Math.floor(random() * limit);
    this.env = new SimEnv({ seed, choose: (lanes) => this.#below(lanes.length) });
    // Every other program takes the short ways of production.
    Object.defineProperty(this.env, 'direct', { value: seed % 2 === 0 });
    this.bus = new MessageBus({ env: this.env });
    this.bus.register('clock', { concurrency: 9 }).serve('tick', () => 'tock');
    this.#makeProducers();
    this.#makeRelay('relay.1', 'make');
    this.#makeRelay('relay.2', 'relay.1');
  }

  #makeProducers(): void {
    const producer = this.bus.register('producer', { concurrency: 4 });
    producer.serve('make', ({ payload }) => {
      const plan = payload as Plan;
      return plan.synchronous ? this.#madeAtOnce(plan) : this.#made(plan);
    });
  }

  async *#made(plan: Plan): AsyncGenerator<number, string, undefined> {
    this.open.begun++;
    try {
      for (let n = 1; n <= plan.chunks; n++) {
        if (this.#below(8) < plan.slowProducer) await this.bus.request('tick', n);
        if (n === plan.throwsAt) throw new Error('thrown');
        yield n;
      }
      if (plan.throwsAt === plan.chunks + 1) throw new Error('thrown');
      return 'made';
    } finally {
      this.open.ended++;
    }
  }

  *#madeAtOnce(plan: Plan): Generator<number, string, undefined> {
    this.open.begun++;
    try {
      for (let n = 1; n <= plan.chunks; n++) {
        if (n === plan.throwsAt) throw new Error('thrown');
        yield n;
      }
      if (plan.throwsAt === plan.chunks + 1) throw new Error('thrown');
      return 'made';
    } finally {
      this.open.ended++;
    }
  }

  #makeRelay(name: string, to: string): void {
    const { open } = this;
    const relay = this.bus.register(name.replace('.', '-'), { concurrency: 4 });
    relay.serve(name, async function* ({ payload }, context) {
      open.begun++;
      try {
        const { highWaterMark } = payload as Plan;
        return yield* context.stream(to, payload, { highWaterMark });
      } finally {
        open.ended++;
      }
    });
  }

  start(): void {
    const plan = makePlan(this.#below);
    const seen: Seen = { plan, chunks: [], ends: [], mostUnread: 0 };
    this.seen.push(seen);
    const topic = plan.relays === 0 ? 'make' : `relay.${plan.relays}`;
    const stream = this.bus.stream(topic, plan, { highWaterMark: plan.highWaterMark });
    void this.#read(stream, seen);
    stream.result.then(
      (value) => seen.ends.push(`result ${value}`),
      (error: Error) => seen.ends.push(`result ${error.message}`),
    );
  }

  async #read(stream: MessageStream, seen: Seen): Promise<void> {
    const { plan, chunks, ends } = seen;
    try {
      for (;;) {
        if (chunks.length === plan.leavesAt) return await leave(stream, plan.leavesBy);
        if (this.#below(8) < plan.slowReader) await this.bus.request('tick', 0);
        seen.mostUnread = Math.max(seen.mostUnread, stream.unread);
        const { done, value } = await stream.next();
        if (done === true) return void ends.push(`read ${value}`);
        chunks.push(value);
      }
    } catch (error) {
      ends.push(`read ${(error as Error).message}`);
    }
  }

  async run(): Promise<void> {
    for (let n = 0; n < 6; n++) {
      this.start();
      for (let steps = this.#below(30); steps > 0 && this.env.step(); steps--) {
        await Promise.resolve();
        expectBalanced(this.bus);
      }
    }
    await this.env.settle();
  }
}

async function leave(stream: MessageStream, by: Plan['leavesBy']): Promise<void> {
  if (by === 'cancel') stream.cancel();
  else if (by === 'break') await stream.return?.();
  else await stream.throw?.(new Error('out')).catch(() => {});
}

function expectRight({ plan, chunks, ends, mostUnread }: Seen): void {
  const made = Math.min(plan.chunks, plan.throwsAt - 1);
  const readable = Math.min(made, plan.leavesAt);
  expect(chunks).toEqual(Array.from({ length: readable }, (_, n) => n + 1));
  expect(mostUnread).toBeLessThanOrEqual(plan.highWaterMark);
  expect(ends.filter((end) => end.startsWith('result'))).toHaveLength(1);
  const read = ends.filter((end) => end.startsWith('read'));
  const throws = plan.throwsAt <= plan.chunks + 1;
  if (plan.leavesAt <= made) expect(read).toEqual([]);
  else expect(read).toEqual([throws ? 'read thrown' : 'read made']);
}

// R:F5 DESIGN "streams" promise
it('keeps order, bounds, one end and the books, in 100 random programs', async () => {
  let [left, failed, whole] = [0, 0, 0];
  for (let seed = 1; seed <= 100; seed++) {
    const world = new StreamWorld(seed);
    await world.run();

    try {
      for (const seen of world.seen) expectRight(seen);
      expect(world.open.ended).toBe(world.open.begun);
      expect(world.bus.inspect()).toMatchObject({ inFlight: 0, queued: 0, pendingRequests: 0 });
      expect(world.env.pendingTimers()).toEqual([]);
      expectBalanced(world.bus);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    const ends = world.seen.flatMap((seen) => seen.ends);
    left += ends.filter((end) => end.includes('cancelled')).length;
    failed += ends.filter((end) => end === 'read thrown').length;
    whole += ends.filter((end) => end === 'read made').length;
  }
  // The programs do reach all three ends.
  expect(Math.min(left, failed, whole)).toBeGreaterThan(30);
});
