// R:F0 R:A3 R:A4 R:J1
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Agent, type Context, type Later, type Message, MessageBus } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { expectBalanced, outcomeOf } from '../flow/books.ts';

/** What a responder does with a request. */
const WAYS = [
  'returns',
  'defers',
  'defers-late',
  'defers-briefly',
  'answers-early',
  'answers-by-function',
  'fails-by-function',
  'defers-and-throws',
  'forwards',
  'forwards-to-nobody',
  'hangs',
] as const;
type Way = (typeof WAYS)[number];

type Step =
  | {
      readonly do: 'ask';
      readonly way: Way;
      readonly timeoutMs: number;
      readonly key: string | undefined;
    }
  | { readonly do: 'answer' | 'fail' | 'progress' | 'withdraw' | 'cancel'; readonly which: number }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'settle' | 'leave' | 'expert-leaves' | 'unsubscribe' | 'revoke' | 'redrive' };

const which = fc.nat(7);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      way: fc.constantFrom(...WAYS),
      timeoutMs: fc.constantFrom(0, 5, 20, 20, 1_000, Infinity),
      key: fc.constantFrom(undefined, undefined, 'k'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('answer' as const, 'answer' as const, 'fail' as const),
      which,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('progress' as const, 'withdraw' as const, 'cancel' as const),
      which,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1, 10, 30) }),
  },
  { weight: 4, arbitrary: fc.constant({ do: 'settle' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'leave' as const,
        'expert-leaves' as const,
        'unsubscribe' as const,
        'revoke' as const,
        'redrive' as const,
      ),
    }),
  },
);

/** One request that the program made, and what became of it. */
interface Asked {
  readonly id: number;
  readonly controller: AbortController;
  readonly outcome: { now(): unknown };
}

class World {
  readonly env: SimEnv;
  readonly bus: MessageBus;
  readonly asked: Asked[] = [];
  readonly owed: { readonly later: Later; readonly n: number }[] = [];
  /** The answers that `answer` said were taken, by the request they were for. */
  readonly taken = new Map<number, unknown>();
  #answers = 0;
  #desk: Agent;
  #expert: Agent;
  /** What the desk serves with: it may be revoked. */
  #lent!: Agent;
  #served!: { unsubscribe(): void };

  constructor(seed: number, capacity: number) {
    const random = new SimEnv({ seed }).random;
    this.env = new SimEnv({ seed, choose: (lanes) => Math.floor(random() * lanes.length) });
    this.bus = new MessageBus({ env: this.env, graceMs: 5 });
    this.#expert = this.#open('expert', capacity);
    this.#desk = this.bus.register('desk', { capacity });
    this.#lend();
  }

  async take(now: Step): Promise<void> {
    switch (now.do) {
      case 'ask':
        this.#ask(now.way, now.timeoutMs, now.key);
        break;
      case 'answer':
        this.#answer(now.which);
        break;
      case 'fail':
        this.#pick(now.which)?.later.fail(new Error('no'));
        break;
      case 'progress':
        this.#pick(now.which)?.later.progress('half');
        break;
      case 'withdraw':
        this.asked[now.which]?.controller.abort('enough');
        break;
      case 'cancel':
        this.bus.conversation(this.bus.pending()[now.which]?.correlationId ?? 'none').cancel();
        break;
      case 'advance':
        await this.env.advance(now.ms);
        break;
      case 'redrive':
        void this.bus.deadLetters.redrive();
        break;
      case 'settle':
        await this.env.settle();
        break;
      default:
        this.#change(now.do);
    }
  }

  check(): void {
    expectBalanced(this.bus);
    const { deferred } = this.bus.inspect();
    expect(this.bus.pending({ status: 'deferred' })).toHaveLength(deferred);
  }

  async end(mode: 'drain' | 'abort'): Promise<void> {
    const closed = this.bus.close({ mode, timeoutMs: 50 });
    await this.env.advance(200);
    const { drained, abandoned } = await closed;
    this.check();
    for (const { later } of this.owed)
      expect([later.answer(0), later.fail(0)]).toEqual([false, false]);
    await this.env.settle();

    expect(this.bus.inspect()).toMatchObject({ deferred: 0, inFlight: 0, pendingRequests: 0 });
    expect(this.env.pendingTimers()).toEqual([]);
    expect(this.env.readyLanes()).toEqual([]);
    if (drained) expect(abandoned).toEqual([]);
    for (const { id, outcome } of this.asked) {
      expect(outcome.now()).not.toBe('pending');
      if (this.taken.has(id)) expect(outcome.now()).toEqual({ value: this.taken.get(id) });
    }
  }

  #open(name: string, capacity: number): Agent {
    const agent = this.bus.register(name, { capacity });
    this.#serve(agent);
    return agent;
  }

  #serve(agent: Agent): { unsubscribe(): void } {
    return agent.serve('q', (request, context) => this.#handle(request, context), {
      idempotent: { windowMs: 15 },
      retry: { maxAttempts: 2, baseMs: 3, jitter: 'none' },
    });
  }

  #ask(way: Way, timeoutMs: number, key: string | undefined): void {
    const id = this.asked.length;
    const controller = new AbortController();
    const to = way === 'hangs' ? undefined : 'desk';
    const answer = this.bus.request(
      'q',
      { id, way },
      {
        timeoutMs,
        signal: controller.signal,
        ...(to === undefined ? {} : { to }),
        ...(key === undefined ? {} : { idempotencyKey: key }),
      },
    );
    this.asked.push({ id, controller, outcome: outcomeOf(answer) });
  }

  #handle({ payload, from }: Message, context: Context): unknown {
    const { way, id } = payload as { way: Way; id: number };
    // The expert is asked by the desk, and defers or answers by itself.
    const mine = from === '$host' ? way : id % 2 === 0 ? 'defers' : 'returns';
    const note = (later: Later): Later => {
      this.owed.push({ later, n: from === '$host' ? id : -1 });
      return later;
    };
    switch (mine) {
      case 'returns':
        return id;
      case 'defers':
        return note(context.defer(undefined, { timeoutMs: Infinity }));
      case 'defers-late':
        return Promise.resolve().then(() => note(context.defer(undefined, { timeoutMs: 500 })));
      case 'defers-briefly':
        return note(context.defer(undefined, { timeoutMs: 3 }));
      case 'answers-early':
        note(context.defer(undefined, { timeoutMs: 100 })).answer(id);
        return Promise.resolve();
      case 'answers-by-function':
        return context.defer((later) => note(later).answer(id), { timeoutMs: 100 });
      case 'fails-by-function':
        return context.defer(
          (later) => {
            note(later);
            return Promise.reject(new Error('function'));
          },
          { timeoutMs: 100 },
        );
      case 'defers-and-throws':
        note(context.defer(undefined, { timeoutMs: 100 }));
        throw new Error('handler');
      case 'forwards':
        return context.forward('expert');
      case 'forwards-to-nobody':
        return context.forward({ capability: 'none' });
      default:
        return new Promise(() => {});
    }
  }

  #pick(n: number): World['owed'][number] | undefined {
    return this.owed[this.owed.length - 1 - n];
  }

  #answer(n: number): void {
    const owed = this.#pick(n);
    const value = `answer ${++this.#answers}`;
    if (owed?.later.answer(value) !== true) return;
    // A redriven request has no asker; its answer is for nobody.
    if (owed.n >= 0 && this.asked[owed.n]?.outcome.now() === 'pending') {
      this.taken.set(owed.n, value);
    }
  }

  #change(what: 'leave' | 'expert-leaves' | 'unsubscribe' | 'revoke'): void {
    if (what === 'leave') {
      void this.#desk.leave();
      expect(this.bus.pending({ to: 'desk', status: 'deferred' })).toEqual([]);
      this.#desk = this.bus.register('desk', { capacity: 2 });
    } else if (what === 'expert-leaves') {
      void this.#expert.leave();
      this.#expert = this.#open('expert', 2);
      return;
    } else if (what === 'unsubscribe') this.#served.unsubscribe();
    else this.#lent.revoke();
    this.#lend();
  }

  #lend(): void {
    this.#lent = this.#desk.restrict({});
    this.#served = this.#serve(this.#lent);
  }
}

describe('programs of deferred answers', () => {
  it('give one outcome each, balance at every step and leave nothing behind', async () => {
    const program = fc.record({
      seed: fc.nat(),
      capacity: fc.constantFrom(1, 2, 3),
      steps: fc.array(step, { minLength: 1, maxLength: 30 }),
      mode: fc.constantFrom('drain' as const, 'abort' as const),
    });
    await fc.assert(
      fc.asyncProperty(program, async ({ seed, capacity, steps, mode }) => {
        const world = new World(seed, capacity);
        for (const now of steps) {
          await world.take(now);
          world.check();
        }
        await world.end(mode);
      }),
      { numRuns: 250 },
    );
  });
});
