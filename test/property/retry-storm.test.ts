import { describe, expect, it } from 'vitest';
import { type Context, compose, MessageBus, type Policy, retry, timeout } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';

const LEVELS = 5;

interface Storm {
  /** What the agent at the bottom does with its n-th call. */
  readonly leaf: (call: number) => unknown;
  readonly policy: Policy;
  readonly conversations: number;
  /** Virtual milliseconds between two of them. */
  readonly everyMs: number;
  /** How each agent but the last serves, and asks. */
  readonly handlerRetry?: number;
  readonly retryBudget?: false;
}

/** Calls at every level, from the top, and how many of the conversations went well. */
async function run(storm: Storm): Promise<{ calls: number[]; well: number }> {
  const { leaf, policy, conversations, everyMs, handlerRetry, retryBudget } = storm;
  const options = retryBudget === undefined ? {} : { retryBudget };
  const { bus, clock, settle } = createTestBus({ seed: 7, ...options });
  const calls = new Array<number>(LEVELS).fill(0);
  const asking = handlerRetry === undefined ? { policy } : {};
  for (let level = 1; level <= LEVELS; level++) {
    const agent = bus.register(`agent-${level}`, { concurrency: 1_000 });
    const serve = async (_request: unknown, context: Context): Promise<unknown> => {
      const call = (calls[level - 1] as number) + 1;
      calls[level - 1] = call;
      return level === LEVELS ? leaf(call) : context.request(`level.${level + 1}`, {}, asking);
    };
    const again = { maxAttempts: handlerRetry ?? 1, baseMs: 1 };
    agent.serve(`level.${level}`, serve, handlerRetry === undefined ? {} : { retry: again });
  }
  let well = 0;
  const timeoutMs = 60_000;
  for (let n = 0; n < conversations; n++) {
    bus.request('level.1', {}, { ...asking, timeoutMs }).then(
      () => well++,
      () => {},
    );
    if (n % 20 === 19) await clock.advance(everyMs * 20);
  }
  await clock.advance(120_000);
  await settle();
  expect(bus.inspect()).toMatchObject({ pendingRequests: 0, inFlight: 0, retryWait: 0 });
  return { calls, well };
}

const thrice = (): Policy => retry({ maxAttempts: 3, baseMs: 10, maxMs: 50 });

/** The same numbers for every run: a small generator of its own. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function no(): never {
  throw new Error('no');
}

// R:F6
describe('five levels of agents that each retry three times', () => {
  const conversations = 200;
  const random = chance(42);

  it.each([
    ['fails always', no],
    ['fails every other time', () => (random() < 0.5 ? no() : 1)],
    ['recovers half-way', (call: number) => (call < 100 ? no() : 1)],
  ])('call hardly more than without retries when the last %s', async (_what, leaf) => {
    const { calls } = await run({ leaf, policy: thrice(), conversations, everyMs: 5 });

    for (const count of calls) expect(count).toBeLessThan(conversations * 1.2);
    expect(calls.slice(0, 4)).toEqual([200, 200, 200, 200]);
    expect(calls[4]).toBeGreaterThan(conversations);
  });

  it('call hardly more when the last hangs and each of them loses patience', async () => {
    const policy = compose(thrice(), timeout({ timeoutMs: 100 }));
    const hang = () => new Promise(() => {});
    const { calls } = await run({ leaf: hang, policy, conversations, everyMs: 5 });

    for (const count of calls) expect(count).toBeLessThan(conversations * 1.2);
  });

  it('call three times as often at the last level alone when nothing bounds them', async () => {
    const storm = { leaf: no, policy: thrice(), conversations: 50, everyMs: 5 };
    const { calls } = await run({ ...storm, retryBudget: false });

    expect(calls).toEqual([50, 50, 50, 50, 150]);
  });

  it('do not multiply either when it is the handlers that are retried', async () => {
    const storm = { leaf: no, policy: thrice(), conversations: 20, everyMs: 5 };
    const { calls } = await run({ ...storm, handlerRetry: 3 });

    expect(calls).toEqual([20, 20, 20, 20, 60]);
  });

  it('retry a rare failure, and nobody notices it', async () => {
    const dice = chance(3);
    const leaf = () => (dice() < 0.05 ? no() : 1);
    const { calls, well } = await run({ leaf, policy: thrice(), conversations, everyMs: 5 });

    expect(well).toBe(conversations);
    expect(calls[4]).toBeGreaterThan(conversations + 5);
    expect(calls[4]).toBeLessThan(conversations * 1.2);
  });
});

describe('what was retried below', () => {
  const failing = (times: number) => {
    let calls = 0;
    return () => (++calls <= times ? no() : calls);
  };

  it('may be retried above when it succeeded there', async () => {
    const { bus, clock, settle } = createTestBus();
    const policy = thrice();
    let outer = 0;
    bus.register('leaf').serve('leaf', failing(1));
    bus.register('mid').serve('mid', async (_request, context) => {
      const answer = await context.request('leaf', {}, { policy });
      return ++outer === 1 ? no() : answer;
    });

    const asked = bus.request('mid', {}, { policy });
    await clock.advance(1_000);
    await settle();

    expect(await asked).toBe(3);
  });

  it('is handed up by a policy that does not retry, and by none at all', async () => {
    const { bus, clock } = createTestBus();
    const policy = thrice();
    const calls: string[] = [];
    const ask = (topic: string, below: string, options: object) =>
      bus.register(topic).serve(topic, (_request, context) => {
        calls.push(topic);
        return context.request(below, {}, options);
      });
    ask('top', 'mid', { policy: timeout({ timeoutMs: 5_000 }) });
    ask('mid', 'low', {});
    ask('low', 'leaf', { policy });
    bus.register('leaf').serve('leaf', no);

    const asked = bus.request('top', {}, { policy }).catch((error: Error) => error.message);
    await clock.advance(1_000);

    expect(await asked).toBe('no');
    expect(calls).toEqual(['top', 'mid', 'low']);
  });

  it('is retried above when a message was told, and not asked', async () => {
    const bus = new MessageBus();
    let handled = 0;
    bus.register('leaf').serve('leaf', no);
    bus.register('mid').subscribe(
      'event',
      async (_event, context) => {
        handled++;
        await context.request('leaf', {}, { policy: retry({ maxAttempts: 2, baseMs: 0 }) });
      },
      { retry: { maxAttempts: 2, baseMs: 0 } },
    );

    await bus.publish('event', {}).settled;

    expect(handled).toBe(2);
    await bus.close();
  });

  it('keeps a policy of another library from going on', async () => {
    const { bus, settle } = createTestBus({ retryBudget: { ratio: 0, minPerSecond: 0.1 } });
    let calls = 0;
    const stubborn: Policy = {
      async execute(fn) {
        for (let left = 5; ; left--) {
          try {
            return await fn({} as never);
          } catch (error) {
            if (left === 0) throw error;
          }
        }
      },
    };
    bus.register('a').serve('q', () => {
      calls++;
      no();
    });

    const asked = bus.request('q', 1, { policy: stubborn }).catch((error: Error) => error.message);
    await settle();

    expect(await asked).toBe('no');
    expect(calls).toBe(2);
  });

  it('refuses a budget that makes no sense', () => {
    for (const retryBudget of [7, null, true, { ratio: 'x' }, { rati: 1 }] as never[]) {
      expect(() => new MessageBus({ retryBudget })).toThrow(TypeError);
    }
    expect(() => new MessageBus({ retryBudget: { ratio: -1 } })).toThrow(RangeError);
  });
});
