import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Candidate,
  fastest,
  fewestOutstanding,
  inOrder,
  leastBusy,
  matching,
  random,
  roundRobin,
  type Selection,
  type SelectionCall,
  scored,
  sticky,
  weighted,
} from '../../src/agents.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';

const candidate = (agent: string, more: Partial<Candidate> = {}): Candidate => ({
  agent,
  outstanding: 0,
  concurrency: 1,
  paused: false,
  ...more,
});

const call = (more: Partial<SelectionCall> = {}): SelectionCall => {
  const chance = seededRandom(7);
  return { topic: 'q', payload: {}, from: '$host', random: chance, now: () => 0, ...more };
};

const NAMES = ['ann', 'ben', 'cid', 'dan', 'eve'];
const crowd = NAMES.map((name) => candidate(name));

/** How often each is chosen. */
function counts(select: Selection, calls: number, context: SelectionCall): number[] {
  const seen = new Map(NAMES.map((name) => [name, 0]));
  for (let i = 0; i < calls; i++) {
    const { agent } = select.choose(crowd, context) as Candidate;
    seen.set(agent, (seen.get(agent) as number) + 1);
  }
  return [...seen.values()];
}

describe('between equals', () => {
  const keys = { at: 0 };
  const strategies: readonly Selection[] = [
    fewestOutstanding(),
    roundRobin(),
    random(),
    leastBusy(),
    weighted({}),
    scored(() => 1),
    fastest({ explore: 0 }),
    sticky(() => keys.at++),
    matching(() => true, roundRobin()),
  ];

  // R:L2: within 10 % of even.
  it.each(strategies)('$name takes all of them equally often', (select) => {
    const even = 10_000 / NAMES.length;

    for (const count of counts(select, 10_000, call())) {
      expect(Math.abs(count - even) / even).toBeLessThan(0.1);
    }
  });

  it.each(strategies)('$name says something of each candidate and takes no turn', (select) => {
    const context = call();
    const before = select.explain?.(crowd, context);
    const again = select.explain?.(crowd, context);

    expect(before).toHaveLength(NAMES.length);
    if (select.name !== 'sticky') expect(again).toEqual(before);
  });
});

describe('leastBusy', () => {
  it('weighs what there is to do by the slots there are', () => {
    const busy = [
      candidate('ann', { outstanding: 3, concurrency: 1 }),
      candidate('ben', { outstanding: 4, concurrency: 2 }),
    ];

    expect(leastBusy().choose(busy, call())?.agent).toBe('ben');
  });

  // R:L2: a dead agent always looks idle.
  it('does not take who fails at once for idle, and forgets by halves', () => {
    const clock = { at: 0 };
    const context = call({ now: () => clock.at });
    const select = leastBusy({ halfLifeMs: 1_000, failureWeight: 8 });
    const pair = [candidate('ann'), candidate('ben', { outstanding: 3 })];
    const choose = (): string | undefined => select.choose(pair, context)?.agent;

    expect(choose()).toBe('ann');
    select.settled?.('ann', { how: 'failed', ms: 0, error: new Error('down') });
    expect(choose()).toBe('ben');
    clock.at = 1_000;
    expect(choose()).toBe('ben');
    clock.at = 1_500;
    expect(choose()).toBe('ann');
  });

  it('takes no withdrawal for a failure', () => {
    const select = leastBusy();
    const pair = [candidate('ann'), candidate('ben', { outstanding: 1 })];

    select.choose(pair, call());
    select.settled?.('ann', { how: 'withdrawn', ms: 5 });

    expect(select.choose(pair, call())?.agent).toBe('ann');
  });

  it('passes by who is paused or not healthy, and has nobody when all are', () => {
    const select = leastBusy({ healthy: (agent) => agent !== 'ben' });
    const trio = [candidate('ann', { paused: true }), candidate('ben'), candidate('cid')];

    expect(select.choose(trio, call())?.agent).toBe('cid');
    expect(select.choose(trio.slice(0, 2), call())).toBeUndefined();
    expect(select.explain?.(trio, call())?.slice(0, 2)).toEqual(['paused', 'not healthy']);
  });
});

describe('fastest', () => {
  const pair = [candidate('ann'), candidate('ben')];
  const learnt = (): Selection => {
    const select = fastest({ explore: 0 });
    select.settled?.('ann', { how: 'answered', ms: 10 });
    select.settled?.('ben', { how: 'answered', ms: 20 });
    return select;
  };

  it('asks who is not measured before it settles on the fastest', () => {
    const select = fastest({ explore: 0 });
    select.settled?.('ann', { how: 'answered', ms: 1 });

    expect(select.choose(pair, call())?.agent).toBe('ben');
    expect(learnt().choose(pair, call())?.agent).toBe('ann');
  });

  it('counts what stands before the call', () => {
    const queue = [candidate('ann', { outstanding: 2 }), candidate('ben')];

    expect(learnt().choose(queue, call())?.agent).toBe('ben');
  });

  it('takes who fails at once for slow', () => {
    const select = learnt();
    select.settled?.('ann', { how: 'failed', ms: 0 });

    expect(select.choose(pair, call())?.agent).toBe('ben');
  });

  it('tries others now and then, as often as it is told', () => {
    const select = fastest({ explore: 0.5 });
    select.settled?.('ann', { how: 'answered', ms: 1 });
    select.settled?.('ben', { how: 'answered', ms: 1_000 });
    const context = call();

    const bens = Array.from({ length: 1_000 }, () => select.choose(pair, context)?.agent);

    const share = bens.filter((agent) => agent === 'ben').length / 1_000;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.3);
  });
});

describe('sticky', () => {
  const name = fc.string({ minLength: 1, maxLength: 8 });
  const agents = fc.uniqueArray(name, { minLength: 2, maxLength: 12 });

  it('moves the keys of who leaves, and no other', () => {
    void fc.assert(
      fc.property(agents, fc.array(fc.string(), { maxLength: 40 }), fc.nat(), (all, keys, who) => {
        const gone = all[who % all.length];
        const before = all.map((one) => candidate(one));
        const after = before.filter(({ agent }) => agent !== gone);
        for (const key of keys) {
          const select = sticky(() => key);
          const had = select.choose(before, call())?.agent;
          const has = select.choose(after, call())?.agent;
          expect(has === had || had === gone).toBe(true);
          expect(select.choose(before.toReversed(), call())?.agent).toBe(had);
        }
      }),
    );
  });

  it('knows a number from its text, and refuses an object', () => {
    const keyed = (key: unknown): Selection => sticky(() => key);

    expect(() => keyed({}).choose(crowd, call())).toThrow('The key of sticky must be a string');
    expect(keyed(7).choose(crowd, call())).toBeDefined();
    expect(keyed(undefined).choose(crowd, call())).toBeDefined();
  });
});

describe('weighted', () => {
  it('is never further from its proportion than one call', () => {
    const weights = { ann: 5, ben: 2, cid: 1, dan: 0, eve: 2 };
    const select = weighted(weights);
    const seen = new Map(NAMES.map((name) => [name, 0]));

    for (let calls = 1; calls <= 200; calls++) {
      const { agent } = select.choose(crowd, call()) as Candidate;
      seen.set(agent, (seen.get(agent) as number) + 1);
      for (const [name, weight] of Object.entries(weights)) {
        expect(Math.abs((seen.get(name) as number) - (calls * weight) / 10)).toBeLessThan(2);
      }
    }
    expect(seen.get('dan')).toBe(0);
  });

  it('asks nobody when no weight is left', () => {
    expect(weighted({ ann: 0 }).choose([candidate('ann')], call())).toBeUndefined();
  });
});

describe('rules', () => {
  it('scored takes the highest, and never who has no score at all', () => {
    const select = scored(({ agent }) => (agent === 'cid' ? 2 : -Infinity));

    expect(select.choose(crowd, call())?.agent).toBe('cid');
    expect(select.choose(crowd.slice(0, 2), call())).toBeUndefined();
    expect(() => scored(() => Number.NaN).choose(crowd, call())).toThrow('The score of ann');
  });

  it('matching passes on what was learnt', () => {
    const heard: unknown[] = [];
    const inner: Selection = { ...roundRobin(), settled: (agent, end) => heard.push([agent, end]) };
    const select = matching(({ agent }) => agent > 'c', inner);

    expect(select.choose(crowd, call())?.agent).toBe('cid');
    select.settled?.('cid', { how: 'answered', ms: 1 });
    expect(heard).toEqual([['cid', { how: 'answered', ms: 1 }]]);
    expect(select.choose(crowd.slice(0, 1), call())).toBeUndefined();
    expect(select.explain?.(crowd, call())?.[0]).toBe('does not fit');
  });

  it('inOrder takes others only when none of the list is awake', () => {
    const select = inOrder(['eve', 'ben']);
    const asleep = (name: string): Candidate => candidate(name, { paused: true });

    expect(select.choose(crowd, call())?.agent).toBe('eve');
    expect(select.choose([candidate('ann'), candidate('ben')], call())?.agent).toBe('ben');
    expect(select.choose([candidate('ann'), asleep('ben')], call())?.agent).toBe('ann');
    expect(select.choose([asleep('ann'), asleep('ben')], call())?.agent).toBe('ben');
  });

  it.each([
    ['leastBusy', () => leastBusy({ halfLifeMs: 0 }), 'halfLifeMs'],
    ['leastBusy', () => leastBusy({ health: () => true } as never), 'health'],
    ['fastest', () => fastest({ alpha: 2 }), 'alpha'],
    ['fastest', () => fastest({ explore: -1 }), 'explore'],
    ['sticky', () => sticky('key' as never), 'sticky'],
    ['weighted', () => weighted({ ann: Number.NaN }), 'The weight of ann'],
    ['scored', () => scored(1 as never), 'scored'],
    ['matching', () => matching('a' as never), 'matching'],
    ['inOrder', () => inOrder('ann' as never), 'inOrder'],
  ])('%s refuses what makes no sense', (_name, make, named) => {
    expect(make).toThrow(named);
  });
});
