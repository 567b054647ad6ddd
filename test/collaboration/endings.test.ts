import { describe, expect, it } from 'vitest';
import { byArbiter, Collaborations, type Ending } from '../../src/agents.ts';
import type { AnyContract } from '../../src/index.ts';
import { createTestBus, type TestBus, type TestBusOptions } from '../../src/testing.ts';
import { hang } from '../flow/books.ts';
import { said } from './at-work.ts';

function makeTest(options: TestBusOptions<AnyContract> = {}): TestBus {
  return createTestBus({ unexpectedLetters: 'allow', ...options });
}

// F:F11
describe('a collaboration, in time', () => {
  it('takes one who hangs for a failed turn, and goes on', async () => {
    const t = makeTest({ leaks: 'allow' });
    t.bus.register('ann').serve('talk', hang);
    t.bus.register('bob').serve('talk', () => 'hm');

    const working = new Collaborations(t.bus).roundRobin({
      topic: 'talk',
      participants: ['ann', 'bob'],
      rounds: 1,
      turnTimeoutMs: 50,
    });
    await t.clock.advance(50);
    const result = await working;

    expect(result).toMatchObject({ ending: 'rounds', failed: [{ by: 'ann' }] });
    expect(result.failed[0]?.error).toMatchObject({ code: 'TELLASK_TIMEOUT', timeoutMs: 50 });
    expect(said(result)).toEqual(['1 bob: "hm"']);
  });

  it('is over when its time is, with what there is, and waits for nobody', async () => {
    const t = makeTest({ leaks: 'allow' });
    const collaborations = new Collaborations(t.bus);
    let reason: unknown;
    t.bus.register('ann').serve('talk', () => 'hm');
    t.bus.register('bob').serve('talk', (_request, { signal }) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      return hang();
    });

    const working = collaborations.roundRobin({
      topic: 'talk',
      participants: ['ann', 'bob'],
      timeoutMs: 100,
    });
    await t.clock.advance(99);
    expect(collaborations.active()).toMatchObject([{ turnOf: ['bob'] }]);
    await t.clock.advance(1);
    const result = await working;

    expect(result).toMatchObject({ ending: 'time-out', value: undefined, round: 1 });
    expect(said(result)).toEqual(['1 ann: "hm"']);
    expect(reason).toMatchObject({ code: 'TELLASK_CANCELLED' });
    expect(collaborations.active()).toEqual([]);
  });

  it('is over while somebody decides, without a value', async () => {
    const t = makeTest({ leaks: 'allow' });
    for (const name of ['ann', 'bob']) t.bus.register(name).serve('talk', () => name);
    t.bus.register('judge').serve('judge', hang);

    const working = new Collaborations(t.bus).roundRobin({
      topic: 'talk',
      participants: ['ann', 'bob'],
      rounds: 1,
      timeoutMs: 100,
      resolve: byArbiter((_positions, context) => context?.request('judge', {})),
    });
    await t.clock.advance(100);

    expect(await working).toMatchObject({ ending: 'time-out', resolution: undefined });
    expect((await working).positions).toHaveLength(2);
  });

  it('ends by the time of its budget, and keeps what a participant had', async () => {
    const t = makeTest({ leaks: 'allow' });
    t.bus.register('ann').serve('talk', hang, { wrapUp: () => 'half a page' });

    const working = new Collaborations(t.bus).roundRobin({
      topic: 'talk',
      participants: ['ann'],
      budget: { ms: 100 },
    });
    await t.clock.advance(5_000);

    expect(await working).toMatchObject({
      ending: 'budget',
      error: { resource: 'ms' },
      failed: [{ by: 'ann', error: { code: 'TELLASK_BUDGET', partial: 'half a page' } }],
    });
  });

  it('takes one who leaves in his turn for a failed turn, or lets another take the seat', async () => {
    const t = makeTest();
    const ann = t.bus.register('ann', { capabilities: ['talk'] });
    ann.serve('talk', () => {
      void ann.leave();
      return hang();
    });
    t.bus.register('bob', { capabilities: ['talk'] }).serve('talk', () => 'hm');
    const collaborations = new Collaborations(t.bus);

    const working = collaborations.roundRobin({
      topic: 'talk',
      participants: [{ name: 'speaker', capability: 'talk' }],
      rounds: 2,
    });
    await t.clock.advance(60_000);

    const result = await working;
    expect(result).toMatchObject({ ending: 'rounds', failed: [] });
    expect(result.contributions.map(({ agent }) => agent)).toEqual(['bob', 'bob']);
  });

  it('ends with the handler whose context it was given', async () => {
    const t = makeTest({ leaks: 'allow' });
    const collaborations = new Collaborations(t.bus);
    let ending: Ending | undefined;
    t.bus.register('ann').serve('talk', hang);
    t.bus.register('desk').serve('discuss', async (_request, context) => {
      const result = await collaborations.roundRobin({
        topic: 'talk',
        participants: ['ann'],
        as: context,
      });
      ending = result.ending;
    });

    const asked = t.bus.request('discuss', {}, { timeoutMs: 100 }).catch((error) => error.code);
    await t.clock.advance(2_000);

    expect([await asked, ending, collaborations.active()]).toEqual([
      'TELLASK_TIMEOUT',
      'cancelled',
      [],
    ]);
  });

  it('fails when the bus closes', async () => {
    const t = makeTest({ leaks: 'allow' });
    t.bus.register('ann').serve('talk', () => 'hm');
    const working = new Collaborations(t.bus).roundRobin({
      topic: 'talk',
      participants: ['ann'],
      rounds: Infinity,
      until: ({ round }) => {
        if (round === 3) void t.bus.close();
        return false;
      },
    });
    await t.run();

    expect(await working).toMatchObject({ ending: 'failed', error: { code: 'TELLASK_CLOSED' } });
  });
});
