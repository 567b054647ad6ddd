import { describe, expect, it } from 'vitest';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, outcomeOf } from './books.ts';

const fail = (): never => {
  throw new Error('broken');
};

/** A handler that fails until it is mended, and writes down what it has handled. */
function mendable() {
  const log: unknown[] = [];
  let broken = true;
  const handle = ({ payload }: { readonly payload: unknown }): void => {
    if (broken) fail();
    log.push(payload);
  };
  const mend = (): void => {
    broken = false;
  };
  return { log, handle, mend };
}

describe.each(['real', 'simulated'] as const)('redrive, on the %s Env', (env) => {
  it.each([
    ['oldest', [1, 2, 3]],
    ['newest', [3, 2, 1]],
  ] as const)('sends the %s first', async (order, expected) => {
    const { bus, settle } = makeBus(env);
    const { log, handle, mend } = mendable();
    bus.subscribe('x', handle);
    for (const n of [1, 2, 3]) bus.publish('x', n);
    await settle();
    mend();

    await bus.deadLetters.redrive({}, { order });
    await settle();

    expect(log).toEqual(expected);
  });

  // R:J3 F:E3
  it('sends a copy of an event to another agent, as a message to it', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    bus.register('a').subscribe('x', fail);
    bus.publish('x', 1);
    await settle();
    bus.register('b').subscribe('x', ({ to, type, payload }) => void log.push([to, type, payload]));

    const { targets, receipts } = await bus.deadLetters.redrive({}, { to: 'b' });
    await settle();

    expect(log).toEqual([['b', 'event', 1]]);
    expect(targets).toMatchObject([{ to: 'b' }]);
    expect(await receipts[0]?.settled).toMatchObject({ handled: 1 });
    expectBalanced(bus);
  });

  it('sends a request to another responder, and a refused call to another agent', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    bus.register('a').serve('q', fail);
    const asked = outcomeOf(bus.request('q', 'asked'));
    expect(() => bus.send('ghost', 'x', 'sent')).toThrow(/ghost/);
    await settle();
    const archivist = bus.register('archivist');
    archivist.serve('q', ({ payload }) => void log.push(payload));
    archivist.subscribe('x', ({ payload }) => void log.push(payload));

    await bus.deadLetters.redrive({}, { to: 'archivist' });
    await settle();

    expect(asked.now()).toHaveProperty('error');
    expect(log.sort()).toEqual(['asked', 'sent']);
    expect(bus.deadLetters.size).toBe(0);
  });

  // R:J3
  it('leaves the letter when the other agent is not there, takes nothing of the kind, or is full', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').subscribe('x', fail);
    bus.publish('x', 1);
    await settle();
    bus.register('deaf').subscribe('other', () => {});
    const full = bus.register('full', { capacity: 1 });
    full.subscribe('**', () => {});
    full.pause();
    bus.send('full', 'y', 1);

    const skipped = [];
    for (const to of ['fulll', 'deaf', 'full']) {
      skipped.push(...(await bus.deadLetters.redrive({}, { to })).skipped);
    }

    expect(skipped).toMatchObject([
      { why: 'no-subscriber', error: { code: 'TELLASK_UNKNOWN_RECIPIENT', didYouMean: 'full' } },
      { why: 'no-subscriber' },
      { why: 'refused', error: { code: 'TELLASK_MAILBOX_FULL' } },
    ]);
    expect(bus.deadLetters.list()).toMatchObject([{ redriveCount: 0 }]);
  });

  // R:J3
  it('says on a dry run what the real one does then, and changes nothing', async () => {
    const { bus, settle } = makeBus(env, { deadLetters: { maxRedrives: 1 } });
    bus.register('a').subscribe('x', fail);
    const gone = bus.register('gone');
    gone.subscribe('x', fail);
    bus.publish('x', 1);
    expect(() => bus.send('ghost', 'x', 1)).toThrow(/ghost/);
    await settle();
    await bus.deadLetters.redrive({ recipient: 'a' });
    await settle();
    bus.publish('x', 2);
    await settle();
    await gone.leave();
    bus.register('ghost').subscribe('x', () => {});
    const before = JSON.stringify([bus.deadLetters.list(), bus.inspect()]);

    const plan = await bus.deadLetters.redrive({}, { dryRun: true, rate: { limit: 1, perMs: 1 } });
    const after = JSON.stringify([bus.deadLetters.list(), bus.inspect()]);
    const done = await bus.deadLetters.redrive();

    expect(after).toBe(before);
    expect(plan.receipts).toEqual([]);
    expect(plan.targets.map(({ to }) => to).sort()).toEqual(['a', 'ghost']);
    expect(plan.skipped.map(({ why }) => why).sort()).toEqual([
      'no-subscriber',
      'no-subscriber',
      'quarantined',
    ]);
    expect({ ...done, receipts: [] }).toEqual(plan);
  });

  it('sends nothing on a closed bus, as the dry run says', async () => {
    const { bus, settle } = makeBus(env);
    bus.subscribe('x', fail);
    bus.publish('x', 1);
    await settle();
    await bus.close();

    const plan = await bus.deadLetters.redrive({}, { dryRun: true });
    const done = await bus.deadLetters.redrive();

    expect(plan.skipped).toMatchObject([{ why: 'refused', error: { code: 'TELLASK_CLOSED' } }]);
    expect(done.skipped).toMatchObject([{ why: 'refused', error: { code: 'TELLASK_CLOSED' } }]);
    expect(bus.deadLetters.size).toBe(1);
  });

  it('loses no refused request that nobody could answer now', async () => {
    const { bus, settle } = makeBus(env);
    await bus.request('q', 1, { to: 'ghost' }).catch(() => {});
    const before = bus.deadLetters.list();

    const { skipped } = await bus.deadLetters.redrive();
    await settle();

    expect(before).toMatchObject([{ reason: 'unknown-recipient' }]);
    expect(skipped).toMatchObject([{ why: 'no-subscriber' }]);
    expect(bus.deadLetters.list()).toEqual(before);
  });

  it.each([
    [{ maxRedrives: -1 }],
    [{ maxRedrives: '1' }],
    [{ dryRun: 1 }],
    [{ order: 'any' }],
    [{ to: 1 }],
    [{ rate: 1 }],
    [{ rate: { limit: 0, perMs: 1 } }],
    [{ rate: { limit: 1, perMs: 0 } }],
    [{ dryrun: true }],
  ])('refuses options that make no sense: %o', async (options) => {
    const { bus } = makeBus(env);
    const error = await bus.deadLetters.redrive({}, options as never).catch((reason) => reason);
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
  });

  it('refuses a filter with a field that it does not know: it would fit all letters', async () => {
    const { bus } = makeBus(env);
    const filter = { reson: 'expired' } as never;
    expect(() => bus.deadLetters.list(filter)).toThrow(/reson/);
    expect(() => bus.deadLetters.purge(filter)).toThrow(TypeError);
    await expect(bus.deadLetters.redrive(filter)).rejects.toThrow(TypeError);
  });
});

/** A bus with so many letters, whose handler works from now on. */
async function withLetters(count: number) {
  const t = createTestBus();
  const { log, handle, mend } = mendable();
  t.bus.subscribe('x', handle);
  for (let n = 1; n <= count; n += 1) t.bus.publish('x', n);
  await t.settle();
  mend();
  return { t, log };
}

describe('redrive with a rate', () => {
  const rate = { limit: 2, perMs: 1_000 };

  // R:J3 F:E3
  it('sends what the rate allows at once, and the others as it allows them', async () => {
    const { t, log } = await withLetters(5);
    const handled: number[] = [];

    const pass = t.bus.deadLetters.redrive({}, { rate });
    for (const ms of [0, 499, 1, 500, 500]) {
      await t.clock.advance(ms);
      handled.push(log.length);
    }

    expect(handled).toEqual([2, 2, 3, 4, 5]);
    expect((await pass).redriven).toHaveLength(5);
    expect(log).toEqual([1, 2, 3, 4, 5]);
    await t.run();
    expect(t.clock.nowMs).toBe(1_500);
  });

  // R:J3
  it('leaves one winner for each letter when another pass comes between', async () => {
    const { t, log } = await withLetters(5);

    const slow = t.bus.deadLetters.redrive({}, { rate });
    const fast = await t.bus.deadLetters.redrive();
    await t.run();

    expect(fast.redriven).toHaveLength(3);
    expect((await slow).redriven).toHaveLength(2);
    expect((await slow).skipped).toHaveLength(3);
    expect((await slow).skipped).toContainEqual(expect.objectContaining({ why: 'claimed' }));
    expect(log).toHaveLength(5);
  });

  it.each(['signal', 'close', 'abort'] as const)(
    'stops on %s, and what was not sent stays a letter',
    async (how) => {
      const { t, log } = await withLetters(5);
      const controller = new AbortController();
      const { signal } = controller;

      const pass = t.bus.deadLetters.redrive({}, { rate, signal });
      await t.clock.advance(500);
      if (how === 'signal') controller.abort(new Error('enough'));
      else void t.bus.close({ mode: how === 'close' ? 'drain' : 'abort' });
      await t.run();

      const { redriven, skipped } = await pass;
      expect(log).toEqual([1, 2, 3]);
      expect(redriven).toHaveLength(3);
      expect(skipped.map(({ why }) => why)).toEqual(['stopped', 'stopped']);
      expect(skipped[0]?.error).toMatchObject(
        how === 'signal' ? { message: 'enough' } : { code: 'TELLASK_CLOSED' },
      );
      expect(t.bus.deadLetters.list().map(({ message }) => message.payload)).toEqual([4, 5]);
      expect(t.clock.nowMs).toBe(500);
      expectBalanced(t.bus);
    },
  );

  it('sends nothing when it was called off before', async () => {
    const { t, log } = await withLetters(1);
    const signal = AbortSignal.abort(new Error('no'));

    const { skipped } = await t.bus.deadLetters.redrive({}, { signal });
    await t.settle();

    expect(skipped).toMatchObject([{ why: 'stopped', error: { message: 'no' } }]);
    expect(log).toEqual([]);
  });

  it('counts what dies again meanwhile for the next pass', async () => {
    const t = createTestBus();
    let calls = 0;
    t.bus.subscribe('x', () => {
      calls++;
      fail();
    });
    for (const n of [1, 2, 3]) t.bus.publish('x', n);
    await t.settle();

    const pass = t.bus.deadLetters.redrive({}, { rate: { limit: 1, perMs: 100 } });
    await t.run();

    expect((await pass).redriven).toHaveLength(3);
    expect(calls).toBe(6);
    expect(t.bus.deadLetters.list()).toHaveLength(3);
  });
});
