import { describe, expect, it } from 'vitest';
import type { Selection, SelectionEnd } from '../../src/agents.ts';
import { inOrder, leastBusy, roundRobin } from '../../src/agents.ts';
import { circuitBreaker, compose, RejectedError, retry } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';

/** Chooses the first, and writes down what it hears. */
function listening(): Selection & { readonly heard: (readonly [string, SelectionEnd])[] } {
  const heard: (readonly [string, SelectionEnd])[] = [];
  return {
    heard,
    name: 'listening',
    choose: (candidates) => candidates[0],
    settled: (agent, end) => void heard.push([agent, end]),
  };
}

describe('what a strategy hears of its choices', () => {
  const ends: Readonly<Record<string, () => unknown>> = {
    answered: () => 1,
    failed: () => {
      throw new Error('no');
    },
    rejected: () => {
      throw new RejectedError('not mine');
    },
  };

  // R:L2
  it.each([
    ['answered', 'answered'],
    ['failed', 'failed'],
    ['rejected', 'answered'],
  ])('is once how each request ended: %s', async (kind, how) => {
    const t = createTestBus();
    t.bus.register('ann').serve('q', ends[kind] as () => unknown);
    const select = listening();

    t.bus.request('q', 1, { select }).catch(() => {});
    await t.settle();

    expect(select.heard).toMatchObject([['ann', { how, ms: 0 }]]);
  });

  it('is a failure after the time-out, and nothing about who was asked when the caller gives up', async () => {
    const t = createTestBus();
    t.bus.register('ann', { concurrency: 2 }).serve('q', () => new Promise(() => {}));
    const select = listening();
    const caller = new AbortController();

    t.bus.request('q', 1, { select, timeoutMs: 50 }).catch(() => {});
    t.bus.request('q', 1, { select, signal: caller.signal }).catch(() => {});
    await t.clock.advance(20);
    caller.abort();
    await t.clock.advance(5_000);

    expect(select.heard).toMatchObject([
      ['ann', { how: 'withdrawn', ms: 20 }],
      ['ann', { how: 'failed', ms: 50 }],
    ]);
  });

  it('is each attempt of a call with retries, and each stream', async () => {
    const t = createTestBus();
    let calls = 0;
    t.bus.register('ann').serve('q', () => (++calls < 3 ? ends['failed']?.() : 'done'));
    t.bus.register('bob').serve('list', async function* () {
      yield 1;
    });
    const select = listening();

    const answer = t.bus.request('q', 1, { select, policy: retry({ maxAttempts: 3 }) });
    await t.run();
    const stream = t.bus.stream('list', 1, { select });
    for await (const _ of driven(stream, () => t.settle())) void _;

    expect(await answer).toBe('done');
    expect(select.heard.map(([agent, { how }]) => `${agent} ${how}`)).toEqual([
      'ann failed',
      'ann failed',
      'ann answered',
      'bob answered',
    ]);
  });

  it('may be anything: what it throws there is a fault, and the call goes on', async () => {
    const faults: string[] = [];
    const t = createTestBus({ onFault: (_error, where) => faults.push(where) });
    t.bus.register('ann').serve('q', () => 'fine');
    const settled = (): never => {
      throw new Error('hm');
    };

    const answer = t.bus.request('q', 1, { select: { ...listening(), settled } });
    await t.settle();

    expect(await answer).toBe('fine');
    expect(faults).toEqual(['settled of listening']);
  });
});

async function* driven<T>(source: AsyncIterable<T>, drive: () => Promise<void>) {
  const iterator = source[Symbol.asyncIterator]();
  for (;;) {
    const next = iterator.next();
    await drive();
    const { done, value } = await next;
    if (done === true) return;
    yield value;
  }
}

describe.each(['real', 'simulated'] as const)('with policies, on the %s Env', (env) => {
  function pair(options: object = {}) {
    const { bus, settle } = makeBus(env, options);
    const asked: string[] = [];
    for (const name of ['ann', 'ben']) {
      bus.register(name).serve('q', () => {
        asked.push(name);
        if (name === 'ann') throw new Error('down');
        return name;
      });
    }
    return { bus, settle, asked };
  }

  // R:L2: failover.
  it('a retried call is chosen for anew', async () => {
    const { bus, settle, asked } = pair();
    const policy = retry({ maxAttempts: 3, baseMs: 0, jitter: 'none' });

    const answer = bus.request('q', 1, { policy, select: roundRobin() });
    await settle();

    expect(await answer).toBe('ben');
    expect(asked).toEqual(['ann', 'ben']);
  });

  it('whose circuit is open is not offered', async () => {
    const { bus, settle, asked } = pair({ select: inOrder(['ann', 'ben']) });
    const policy = compose(circuitBreaker({ failures: 1, openMs: 60_000 }));

    const first = bus.request('q', 1, { policy });
    first.catch(() => {});
    await settle();
    const second = bus.request('q', 1, { policy });
    await settle();

    await expect(first).rejects.toThrow('down');
    expect(await second).toBe('ben');
    expect(asked).toEqual(['ann', 'ben']);
  });

  it('who fails is passed by from then on', async () => {
    const { bus, settle, asked } = pair({ select: leastBusy() });

    for (let i = 0; i < 5; i++) {
      bus.request('q', 1).catch(() => {});
      await settle();
    }

    expect(asked.filter((name) => name === 'ann')).toHaveLength(1);
  });
});

describe('explain', () => {
  it('says of each who serves what speaks for and against asking it', () => {
    const { bus } = makeBus('simulated', { select: inOrder(['ben']) });
    const ann = bus.register('ann', { capabilities: ['q'] });
    for (const agent of [ann, bus.register('ben')]) agent.serve('q', () => 1);
    ann.pause();

    expect(bus.explain('q').candidates).toEqual([
      { agent: 'ann', outstanding: 0, because: 'paused', note: 'not in the list' },
      { agent: 'ben', outstanding: 0, note: 'number 1 of the list' },
    ]);
    expect(bus.explain('q', { to: { capability: 'q' }, select: roundRobin() }).candidates).toEqual([
      { agent: 'ann', outstanding: 0, because: 'paused', note: 'its turn' },
      { agent: 'ben', outstanding: 0, excluded: 'to' },
    ]);
    expect(bus.explain('nothing').candidates).toEqual([]);
  });
});

describe('without a strategy', () => {
  // R:L2: bursts of as many requests as there are responders begin with each of them in turn.
  it('asks equals evenly, also where each burst finds one of them at work', async () => {
    const t = createTestBus();
    const asked = new Map<string, number>();
    for (const name of ['ann', 'ben', 'cid', 'dan']) {
      const agent = t.bus.register(name);
      agent.serve('q', () => void asked.set(name, (asked.get(name) ?? 0) + 1));
      agent.subscribe('note', () => {});
    }

    for (let burst = 0; burst < 100; burst++) {
      t.bus.send('ann', 'note', {});
      for (let i = 0; i < 4; i++) void t.bus.request('q', {});
      await t.settle();
    }

    expect(Object.fromEntries(asked)).toEqual({ ann: 100, ben: 100, cid: 100, dan: 100 });
  });
});
