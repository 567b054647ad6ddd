import { describe, expect, it } from 'vitest';
import type { MailboxSettings } from '../../src/delivery/handler-options.ts';
import { SeededFaults } from '../../src/testing/faults/seeded-faults.ts';
import { randomChoice } from '../../src/testing/random-choice.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { openTestBus } from '../../src/testing/test-bus.ts';
import { createTestBus, type FaultRule, type TestBus } from '../../src/testing.ts';

const CAPACITIES = [1, 2, 3] as const;

/** What a biller did, instant by instant, while orders 1 to 4 came, one every ten milliseconds. */
interface Told {
  readonly log: readonly string[];
  readonly t: TestBus;
}

async function bill(rule: FaultRule, capacity: number, options: object = {}): Promise<Told> {
  const t = createTestBus({ faults: [rule], handlerTimeoutMs: 100, graceMs: 10 });
  const log: string[] = [];
  const biller = t.bus.register('biller', { capacity } satisfies MailboxSettings);
  biller.subscribe(
    'order.placed',
    ({ payload }, { attempt }) => {
      log.push(`${t.clock.nowMs} ms order ${payload}${attempt > 1 ? ` again` : ''}`);
    },
    options,
  );
  t.bus.register('idler').subscribe('order.placed', () => {});
  for (const n of [1, 2, 3, 4]) {
    t.bus.publish('order.placed', n);
    await t.clock.advance(10);
  }
  await t.run();
  return { log, t };
}

const AT_BILLER = { topic: 'order.*', agent: 'biller' } as const;
const RETRY = { retry: { maxAttempts: 2, baseMs: 5, jitter: 'none' } } as const;
const ALL = ['0 ms order 1', '10 ms order 2', '20 ms order 3', '30 ms order 4'] as const;
const [ONE, TWO, THREE, FOUR] = ALL;

interface Row {
  readonly name: string;
  readonly rule: FaultRule;
  readonly log: readonly string[];
  readonly text: string;
  readonly options?: object;
  readonly counts?: object;
}

const ROWS: readonly Row[] = [
  {
    name: 'drop loses the copy',
    rule: { fault: 'drop', ...AT_BILLER, nth: 2 },
    log: [ONE, THREE, FOUR],
    text: 'drop m2 order.placed $host -> biller',
    counts: { cancelled: 1, handled: 7 },
  },
  {
    name: 'delay brings it late',
    rule: { fault: 'delay', ...AT_BILLER, nth: 2, minMs: 7, maxMs: 7 },
    log: [ONE, '17 ms order 2', THREE, FOUR],
    text: 'delay m2 order.placed $host -> biller by 7 ms',
    counts: { handled: 8 },
  },
  {
    name: 'duplicate brings it twice',
    rule: { fault: 'duplicate', ...AT_BILLER, nth: 2, minMs: 5 },
    log: [ONE, TWO, '15 ms order 2', THREE, FOUR],
    text: 'duplicate m2 order.placed $host -> biller after 5 ms',
    counts: { admitted: 9, handled: 9 },
  },
  {
    name: 'crash lets a retry do it',
    rule: { fault: 'crash', ...AT_BILLER, nth: 2 },
    options: RETRY,
    log: [ONE, '15 ms order 2 again', THREE, FOUR],
    text: 'crash m2 order.placed $host -> biller, before its work',
    counts: { handled: 8, retries: 1 },
  },
  {
    name: 'crash after the work lets a retry do it twice',
    rule: { fault: 'crash', ...AT_BILLER, nth: 2, when: 'after' },
    options: RETRY,
    log: [ONE, TWO, '15 ms order 2 again', THREE, FOUR],
    text: 'crash m2 order.placed $host -> biller, after its work',
    counts: { handled: 8, retries: 1 },
  },
  {
    name: 'crash without a retry leaves a letter',
    rule: { fault: 'crash', ...AT_BILLER, nth: 2 },
    log: [ONE, THREE, FOUR],
    text: 'crash m2 order.placed $host -> biller, before its work',
    counts: { handled: 7, deadLettered: 1 },
  },
  {
    name: 'slow ends later, and the next waits for it',
    rule: { fault: 'slow', ...AT_BILLER, nth: 2, minMs: 15, maxMs: 15 },
    log: [ONE, TWO, '25 ms order 3', FOUR],
    text: 'slow m2 order.placed $host -> biller by 15 ms',
    counts: { handled: 8 },
  },
];

describe.each(CAPACITIES)('with a capacity of %s', (capacity) => {
  it.each(ROWS)('$name', async ({ rule, options, log, text, counts }) => {
    const told = await bill(rule, capacity, options);

    expect(told.log).toEqual(log);
    expect(told.t.faults.injected.map((fault) => fault.text)).toEqual([text]);
    expect(told.t.bus.inspect()).toMatchObject({ queued: 0, inFlight: 0, ...counts });
    expect(told.t.transcript()).toContain(text);
    await told.t.close();
  });

  it('hang keeps the slot until the handler is given up', async () => {
    const { log, t } = await bill({ fault: 'hang', ...AT_BILLER, nth: 1 }, capacity);

    const kept = ['110 ms order 2', '110 ms order 3', '110 ms order 4'].slice(0, capacity);
    expect(log).toEqual(kept);
    expect(t.bus.inspect()).toMatchObject({
      abandoned: 1,
      handled: 4 + kept.length,
      deadLettered: 4 - kept.length,
      inFlight: 0,
    });
    expect(t.bus.deadLetters.list({ reason: 'handler-timeout' })).toHaveLength(1);
    await t.close();
  });
});

const SLOWLY: readonly FaultRule[] = [
  { fault: 'slow', probability: 0.3, maxMs: 5 },
  { fault: 'delay', probability: 0.3, maxMs: 7 },
];
const WILDLY: readonly FaultRule[] = [
  ...SLOWLY,
  { fault: 'crash', probability: 0.3 },
  { fault: 'drop', topic: 'echo', probability: 0.3 },
  { fault: 'duplicate', topic: 'gossip', probability: 0.3, maxMs: 9 },
];

/** Three who hear the same gossip and ask about it, in the order that `order` says. */
async function gossip(
  seed: number,
  order: number,
  rules: readonly FaultRule[] = WILDLY,
  only?: readonly string[],
) {
  const faults = new SeededFaults(rules, { seed, only });
  const t = openTestBus(new SimEnv({ seed, choose: randomChoice(order), faults }), {});
  for (const name of ['ann', 'bob', 'eve']) {
    t.bus.register(name).subscribe('gossip', async (_, context) => {
      if (name !== 'eve') await context.request('echo', name).catch(() => {});
    });
  }
  t.bus.register('echo', { concurrency: 2 }).serve('echo', ({ payload }) => payload);
  t.bus.publish('gossip', 1);
  t.bus.publish('gossip', 2);
  await t.run();
  const ids = t.faults.injected.map(({ id }) => id);
  const transcript = t.transcript();
  await t.close();
  return { ids, transcript };
}

describe('the faults of a seed', () => {
  it('are the same whatever the order of the lanes', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const runs = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((order) => gossip(seed, order)));

      expect(new Set(runs.map(({ transcript }) => transcript)).size).toBeGreaterThan(1);
      const faults = new Set(runs.map(({ ids }) => ids.toSorted().join()));
      expect([...faults]).toEqual([expect.stringMatching(/\d/)]);
    }
  });

  it('give one transcript for one order, and another for another seed', async () => {
    const first = await gossip(7, 1);

    expect((await gossip(7, 1)).transcript).toBe(first.transcript);
    expect((await gossip(8, 1)).ids).not.toEqual(first.ids);
  });

  it('can be left out one by one, without a change to the others', async () => {
    const { ids } = await gossip(2, 0, SLOWLY);
    expect(ids.length).toBeGreaterThan(2);

    for (const id of ids) {
      const others = ids.filter((other) => other !== id);
      expect((await gossip(2, 0, SLOWLY, others)).ids.toSorted()).toEqual(others.toSorted());
      expect((await gossip(2, 0, SLOWLY, [id])).ids).toEqual([id]);
    }
    expect((await gossip(2, 0, SLOWLY, [])).ids).toEqual([]);
  });
});
