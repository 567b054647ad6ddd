import { describe, expect, it } from 'vitest';
import {
  type Agent,
  bulkhead,
  type Context,
  circuitBreaker,
  compose,
  fallback,
  MessageBus,
  type Policy,
  rateLimit,
  retry,
  timeout,
} from '../../src/index.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { expectBalanced } from '../flow/books.ts';

const NAMES = ['ann', 'bob', 'cat', 'dan'];
const LONGEST_MS = 300;

/** Calls again at once, whatever happens, and never gives up by itself. */
const stubborn: Policy = {
  async execute(fn, signal) {
    for (let left = 4; ; left--) {
      try {
        return await fn({ signal } as never);
      } catch (error) {
        if (left === 0) throw error;
      }
    }
  },
};

/** Takes what comes first of two calls. */
const hedging: Policy = {
  execute(fn) {
    return Promise.any([fn(NOTHING), fn(NOTHING)]);
  },
};
const NOTHING = {} as never;

/** One bus, agents that do anything, and calls with all kinds of policies around them. */
class Run {
  readonly env: SimEnv;
  readonly bus: MessageBus;
  readonly #random: () => number;
  readonly #policies: readonly Policy[];
  readonly #agents: (Agent | undefined)[] = [];
  readonly #open = new Set<string>();
  #aborts = new AbortController();
  #calls = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.env = new SimEnv({ seed });
    const others = this.#random() < 0.5 ? { ann: ['bob'], bob: ['cat', 'nobody'] } : {};
    this.bus = new MessageBus({ env: this.env, graceMs: 20, fallback: others });
    const brief = timeout({ timeoutMs: 15 });
    const breaker = circuitBreaker({ failures: 2, openMs: 40 });
    const again = retry({ maxAttempts: 3, baseMs: 10 });
    this.#policies = [
      again,
      brief,
      breaker,
      stubborn,
      hedging,
      compose(again, breaker, bulkhead({ limit: 2, queue: 2 }), brief),
      compose(bulkhead({ limit: 1, queue: 1 }), again),
      compose(stubborn, rateLimit({ limit: 2, perMs: 50, maxWaitMs: 100 })),
      compose(fallback({ value: 'instead' }), hedging, breaker) as Policy,
    ];
    for (let who = 0; who < NAMES.length; who++) this.#register(who);
  }

  async step(): Promise<void> {
    const verbs = [
      ...[this.#ask, this.#ask, this.#ask, this.#ask, this.#gather, this.#stream],
      ...[this.#abort, this.#leave, this.#cancel, this.#advance, this.#advance, this.#some],
    ];
    await (this.#pick(verbs) as () => unknown).call(this);
    expectBalanced(this.bus);
  }

  async end(): Promise<void> {
    const mode = this.#pick(['drain', 'abort'] as const);
    const closing = this.bus.close({ mode, timeoutMs: this.#pick([0, 30, 5_000]) });
    await this.env.advance(LONGEST_MS + 10_000);
    await closing;
    await this.env.settle();
    expect([...this.#open]).toEqual([]);
    expect(this.env.pendingTimers()).toEqual([]);
    expect(this.bus.inspect()).toMatchObject({ queued: 0, inFlight: 0, pendingRequests: 0 });
    expectBalanced(this.bus);
  }

  #register(who: number): void {
    const agent = this.bus.register(NAMES[who] as string, {
      capacity: this.#pick([1, 3, 100]),
      concurrency: this.#pick([1, 2]),
      onHang: this.#pick(['release', 'hold']),
    });
    this.#agents[who] = agent;
    const options = { retry: { maxAttempts: this.#pick([1, 1, 2]), baseMs: 5 } };
    const idempotent = this.#random() < 0.3 ? { idempotent: { windowMs: 100 } } : {};
    agent.serve('q', (_request, context) => this.#work(context), { ...options, ...idempotent });
    agent.serve('s', (_request, context) => this.#yield(context));
  }

  #work(context: Context): unknown {
    const draw = this.#random();
    if (draw < 0.35) throw new Error('no');
    if (draw < 0.6) return draw;
    if (draw < 0.65) return this.#sleep(1_000);
    if (draw < 0.7) return context.defer();
    if (draw < 0.75) return context.forward(this.#name());
    if (draw < 0.9) return this.#asking(context);
    return this.#sleep(10).then(() => (draw < 0.95 ? draw : Promise.reject(new Error('late'))));
  }

  async *#yield(context: Context): AsyncGenerator<unknown, unknown> {
    if (this.#random() < 0.5) await this.#work(context);
    yield 1;
    if (this.#random() < 0.3) throw new Error('broken');
    return 2;
  }

  /** Retries inside each other. */
  #asking(context: Context): Promise<unknown> {
    const options = { policy: this.#pick(this.#policies), timeoutMs: this.#pick([20, 100]) };
    return context.request('q', {}, options);
  }

  #ask(): void {
    const voice = this.#random() < 0.5 ? this.bus : (this.#pick(this.#agents) ?? this.bus);
    this.#owe('request', voice.request('q', {}, { ...this.#options(), ...this.#others() }));
  }

  #gather(): void {
    const stragglers = this.#pick(['abort', 'run'] as const);
    const { signal: _, ...options } = this.#options();
    const until = (so: { readonly ok: readonly unknown[] }) => so.ok.length > 0;
    this.#owe('gather', this.bus.gather('q', {}, { ...options, until, stragglers }));
  }

  #stream(): void {
    const stream = this.bus.stream('s', {}, { ...this.#options(), ...this.#others() });
    const leaves = this.#random() < 0.3;
    const read = async (): Promise<void> => {
      for await (const _ of stream) if (leaves) return;
    };
    this.#owe('stream', read());
  }

  #options() {
    return {
      policy: this.#pick(this.#policies),
      timeoutMs: this.#pick([10, 60, LONGEST_MS]),
      correlationId: this.#pick(['one', 'two']),
      ...(this.#random() < 0.3 && { signal: this.#aborts.signal }),
    };
  }

  #others() {
    return {
      ...(this.#random() < 0.4 && { to: this.#name() }),
      ...(this.#random() < 0.3 && { fallback: [this.#name(), this.#name()] }),
    };
  }

  #abort(): void {
    this.#aborts.abort(new Error('enough'));
    this.#aborts = new AbortController();
  }

  async #leave(): Promise<void> {
    const who = Math.floor(this.#random() * NAMES.length);
    void this.#agents[who]?.leave();
    this.#agents[who] = undefined;
    if (this.#random() < 0.7) this.#register(who);
  }

  #cancel(): void {
    this.bus.conversation(this.#pick(['one', 'two'])).cancel();
  }

  #advance(): Promise<void> {
    return this.env.advance(this.#pick([1, 10, 50]));
  }

  #some(): void {
    for (let left = 1 + this.#random() * 5; left > 0; left--) this.env.step();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.env.setTimer(ms, resolve);
    });
  }

  #name(): string {
    return this.#pick([...NAMES, 'nobody']);
  }

  #owe(what: string, promise: Promise<unknown>): void {
    const call = `${what} ${++this.#calls}`;
    this.#open.add(call);
    const paid = (): boolean => this.#open.delete(call);
    promise.then(paid, paid);
  }

  #pick<T>(all: readonly T[]): T {
    return all[Math.floor(this.#random() * all.length)] as T;
  }
}

// R:H5 R:F6 R:D2
describe('random calls with policies', () => {
  it.each(Array.from({ length: 8 }, (_, block) => block))(
    'balance the books and leave nothing behind, block %i',
    async (block) => {
      for (let seed = block * 15; seed < block * 15 + 15; seed++) {
        const run = new Run(seed);
        try {
          for (let left = 25; left > 0; left--) await run.step();
          await run.end();
        } catch (error) {
          throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
        }
      }
    },
  );
});
