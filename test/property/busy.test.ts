// R:G3 R:A3 R:A4 R:B4 R:B5
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Agent,
  type BusyPolicy,
  type Context,
  type Message,
  MessageBus,
} from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { expectBalanced } from '../flow/books.ts';

const KEYS = ['p', 'q'] as const;

type Policy = Exclude<BusyPolicy, 'queue'>;

/** What a handler does with a message. */
const ENDINGS = [
  'returns',
  'waits',
  'ignores',
  'heeds',
  'fails-once',
  'fails-late',
  'says-again',
] as const;
type Ending = (typeof ENDINGS)[number];

interface Said {
  readonly do: 'say';
  readonly key: number;
  readonly priority: number;
  readonly ending: Ending;
  readonly reads: boolean;
}
type Step =
  | Said
  | { readonly do: 'say-other' }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'settle' }
  | { readonly do: 'pause' | 'resume' };

interface Payload {
  readonly n: number;
  readonly key: string;
  readonly ending: Ending;
  readonly reads: boolean;
}

const say = fc.record({
  do: fc.constant('say' as const),
  key: fc.nat(KEYS.length - 1),
  priority: fc.constantFrom(0, 5, 5, 10),
  ending: fc.constantFrom(...ENDINGS),
  reads: fc.boolean(),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: say },
  { weight: 3, arbitrary: fc.constant({ do: 'say-other' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      ms: fc.constantFrom(1, 5, 20, 60),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'settle' as const }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: 'pause' } as const, { do: 'resume' } as const) },
);
const setting = fc.record({
  capacity: fc.integer({ min: 1, max: 3 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
  overflow: fc.constantFrom(
    'reject' as const,
    'drop-oldest' as const,
    'drop-newest' as const,
    'wait' as const,
  ),
  order: fc.constantFrom('requeue' as const, 'in-place' as const),
  keyed: fc.boolean(),
  steps: fc.array(step, { minLength: 3, maxLength: 25 }),
});
type Setting = typeof setting extends fc.Arbitrary<infer S> ? S : never;

/** One bus with one busy subscription, and what was seen of each message. */
class Play {
  readonly wrongs: string[] = [];
  readonly #env = new SimEnv();
  readonly #bus: MessageBus = new MessageBus({ env: this.#env, graceMs: 10 });
  readonly #agent: Agent;
  readonly #policy: Policy;
  readonly #setting: Setting;
  readonly #arrived: Payload[] = [];
  readonly #outcomes = new Map<number, string>();
  readonly #begun = new Set<number>();
  readonly #read = new Set<number>();
  readonly #running = new Map<string, Context>();
  #said = 0;

  constructor(policy: Policy, setting: Setting) {
    this.#policy = policy;
    this.#setting = setting;
    const { capacity, concurrency, overflow, order, keyed } = setting;
    this.#agent = this.#bus.register('a', { capacity, concurrency, overflow });
    this.#agent.subscribe('x', (message, context) => this.#handle(message, context), {
      busy: policy,
      timeoutMs: 200,
      echo: true,
      retry: { maxAttempts: 2, baseMs: 10, jitter: 'none', order },
      ...(keyed && { key: ({ payload }: Message) => (payload as Payload).key }),
    });
    // It fills the same mailbox.
    this.#agent.subscribe('other', () => this.#wait(15));
    this.#watch();
  }

  async run(): Promise<void> {
    for (const one of this.#setting.steps) {
      await this.#take(one);
      this.#check();
    }
    this.#agent.resume();
    await this.#env.advance(10_000);
    this.#checkEnd();
    await this.#bus.close();
  }

  // ---- what is done

  async #take(one: Step): Promise<void> {
    if (one.do === 'say') this.#say(one, (...said) => this.#bus.publish(...said));
    else if (one.do === 'say-other') this.#bus.publish('other', 1);
    else if (one.do === 'advance') await this.#env.advance(one.ms);
    else if (one.do === 'settle') await this.#env.settle();
    else this.#agent[one.do]();
  }

  #say({ key, priority, ending: how, reads }: Omit<Said, 'do'>, publish: Publish): void {
    const payload = { n: this.#said++, key: KEYS[key] as string, ending: how, reads };
    publish('x', payload, { priority });
  }

  #handle({ payload }: Message, context: Context): unknown {
    const { n, reads, ending: how } = payload as Payload;
    const key = this.#keyOf(payload as Payload);
    const other = this.#running.get(key);
    if (other !== undefined && !isFenced(other)) this.wrongs.push(`two of ${key} are heard`);
    if (this.#read.has(n)) this.wrongs.push(`${n} was read, and begins`);
    this.#running.set(key, context);
    this.#begun.add(n);
    if (reads) this.#readSteered(context);
    const done = (): void => {
      if (reads && !isFenced(context)) this.#readSteered(context);
      if (this.#running.get(key) === context) this.#running.delete(key);
    };
    return this.#end(how, payload as Payload, context).finally(done);
  }

  async #end(how: Ending, { key }: Payload, context: Context): Promise<unknown> {
    switch (how) {
      case 'returns':
        return undefined;
      case 'waits':
        return this.#wait(12);
      case 'ignores':
        return this.#wait(400);
      case 'heeds':
        return new Promise((_, reject) => {
          context.signal.addEventListener('abort', () => reject(context.signal.reason));
        });
      case 'fails-once':
        if (context.attempt === 1) throw new Error('once');
        return undefined;
      case 'fails-late':
        await this.#wait(8);
        throw new Error('late');
      case 'says-again': {
        // Under `interrupt` it interrupts itself here.
        const again = { key: KEYS.indexOf(key as 'p'), priority: 5, reads: false };
        this.#say({ ...again, ending: 'returns' }, (...said) => context.publish(...said));
        return this.#wait(5);
      }
    }
  }

  #readSteered(context: Context): void {
    for (const { payload } of context.steered()) {
      const { n } = payload as Payload;
      if (this.#read.has(n) || this.#begun.has(n)) this.wrongs.push(`${n} is read twice`);
      this.#read.add(n);
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#env.setTimer(ms, resolve));
  }

  #keyOf({ key }: Payload): string {
    return this.#setting.keyed ? key : 'all';
  }

  // ---- what must hold

  #watch(): void {
    const { events } = this.#bus;
    const end = ({ topic, payload }: Message, outcome: string): void => {
      expectBalanced(this.#bus);
      if (topic !== 'x') return;
      const { n } = payload as Payload;
      if (this.#outcomes.has(n)) this.wrongs.push(`${n} ends twice`);
      this.#outcomes.set(n, outcome);
      if (outcome === 'superseded' && this.#begun.has(n)) this.wrongs.push(`${n} had begun`);
      if (outcome === 'interrupted' && !this.#begun.has(n)) this.wrongs.push(`${n} had not begun`);
    };
    events.on('admitted', ({ topic, payload }) => {
      if (topic === 'x') this.#arrived.push(payload as Payload);
    });
    events.on('handled', ({ message }) => end(message, 'handled'));
    events.on('expired', ({ message }) => end(message, 'expired'));
    events.on('cancelled', ({ message, reason }) => end(message, reason));
    events.on('dead-lettered', ({ message, reason }) => end(message, reason));
  }

  #check(): void {
    expectBalanced(this.#bus);
    const { capacity, concurrency } = this.#setting;
    const { queued, running, waiting } = this.#agent.inspect();
    if (queued > capacity || running > concurrency) this.wrongs.push('more than there is room for');
    if (waiting > 0 && queued < capacity) this.wrongs.push('a place is free, and somebody waits');
    for (const key of ['all', ...KEYS]) {
      const open = this.#ofKey(key).filter(({ n }) => !this.#outcomes.has(n));
      const lined = open.filter(({ n }) => !this.#begun.has(n)).length;
      const newest = this.#policy === 'latest' || this.#policy === 'interrupt';
      if (newest && lined > 1) this.wrongs.push(`${lined} of ${key} wait`);
      if (this.#policy === 'reject' && open.length > 1) this.wrongs.push(`two of ${key}`);
    }
  }

  #checkEnd(): void {
    const { queued, inFlight, retryWait, waiting } = this.#bus.inspect();
    expect({ queued, inFlight, retryWait, waiting }).toEqual(NOTHING_LEFT);
    for (const { n } of this.#arrived) {
      const outcome = this.#outcomes.get(n) ?? 'none';
      if (!ENDS[this.#policy].includes(outcome)) this.wrongs.push(`${n} ended: ${outcome}`);
      if (this.#read.has(n) && outcome !== 'handled') this.wrongs.push(`${n} read, and ${outcome}`);
    }
    for (const key of ['all', ...KEYS]) {
      const last = this.#ofKey(key).at(-1);
      if (last === undefined) continue;
      const outcome = this.#outcomes.get(last.n) as string;
      if (['superseded', 'interrupted'].includes(outcome))
        this.wrongs.push(`the last was ${outcome}`);
    }
  }

  #ofKey(key: string): Payload[] {
    return this.#arrived.filter((payload) => this.#keyOf(payload) === key);
  }
}

type Publish = (topic: string, payload: Payload, options: { readonly priority: number }) => unknown;

const NOTHING_LEFT = { queued: 0, inFlight: 0, retryWait: 0, waiting: 0 };
const FAILS = ['handled', 'overflow', 'max-attempts', 'handler-timeout', 'handler-error'];
const ENDS: Readonly<Record<Policy, readonly string[]>> = {
  latest: [...FAILS, 'superseded'],
  interrupt: [...FAILS, 'superseded', 'interrupted'],
  steer: FAILS,
  reject: [...FAILS, 'rejected'],
};

/** Whether what it says is not heard any more; an answer to no request changes nothing. */
function isFenced(context: Context): boolean {
  try {
    context.reply(undefined);
    return false;
  } catch {
    return true;
  }
}

describe('a busy subscription under random arrivals', () => {
  it.each(['latest', 'interrupt', 'steer', 'reject'] as const)(
    '%s keeps its promise, and the books balance',
    async (policy) => {
      await fc.assert(
        fc.asyncProperty(setting, async (given) => {
          const play = new Play(policy, given);

          await play.run();

          expect(play.wrongs).toEqual([]);
        }),
        { numRuns: 150 },
      );
    },
  );
});
