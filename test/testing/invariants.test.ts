import { describe, expect, it } from 'vitest';
import { wiringOf } from '../../src/bus.ts';
import { BusInvariants } from '../../src/testing/invariants.ts';
import type { Transcript } from '../../src/testing/transcript.ts';
import { createTestBus, InvariantError, type TestBus } from '../../src/testing.ts';

const wiring = ({ bus }: TestBus) => wiringOf(bus as never);

/** A bus that has handled two messages of one sender. */
async function busy(): Promise<TestBus> {
  const t = createTestBus({ leaks: 'allow' });
  t.bus.register('editor').subscribe('draft.*', () => {});
  t.bus.publish('draft.1', 1);
  t.bus.publish('draft.2', 2);
  await t.settle();
  return t;
}

/** Invariants that were told something else than what happened. */
function told(t: TestBus, change: (seen: Transcript['seen']) => Transcript['seen']) {
  const seen: Transcript['seen'][number][] = [];
  const { events } = t.bus;
  for (const what of ['admitted', 'handled', 'dead-lettered'] as const) {
    events.on(what, (...args: unknown[]) => void seen.push({ atMs: 0, what, args }));
  }
  const transcript = {
    get seen() {
      return change(seen);
    },
    left: 0,
  };
  return new BusInvariants(wiring(t), transcript as unknown as Transcript);
}

// F:M8
describe('the invariants of a test bus', () => {
  it('hold at any instant, also while handlers run', async () => {
    const t = createTestBus();
    const checked: string[] = [];
    t.bus.register('editor', { concurrency: 2 }).subscribe(
      '**',
      async ({ topic }) => {
        t.invariants.check();
        await Promise.resolve();
        t.invariants.check();
        checked.push(topic);
        if (topic === 'bad' && checked.length < 4) throw new Error('again');
      },
      { retry: { maxAttempts: 3 } },
    );
    for (const topic of ['good', 'bad', 'fine']) t.bus.publish(topic, 1);
    t.invariants.check();

    await t.run();

    t.invariants.check();
    expect(checked).toHaveLength(4);
    await t.close();
  });

  it.each([
    [
      'a delivery in no state',
      (t: TestBus) => wiring(t).ledger.handled--,
      ['2 admitted, but 1 handled = 1', '1 handled, but 2 were told'],
    ],
    [
      'a delivery in two states',
      (t: TestBus) => wiring(t).ledger.queued++,
      ['2 admitted, but 1 queued + 2 handled = 3'],
    ],
    [
      'a count below nothing',
      (t: TestBus) => {
        wiring(t).ledger.queued--;
        wiring(t).ledger.waiting++;
      },
      ['-1 queued'],
    ],
    [
      'letters that nobody counted',
      (t: TestBus) => {
        wiring(t).ledger.deadLettered--;
        wiring(t).ledger.expired++;
      },
      ['-1 deadLettered', '1 expired, but 0 were told', '-1 letters, but 0 were told'],
    ],
  ])('name %s', async (_, breakIt, violations) => {
    const t = await busy();

    breakIt(t);

    expect(t.invariants.violations()).toEqual(violations);
    expect(() => t.invariants.check()).toThrow(InvariantError);
    expect(() => t.invariants.check()).toThrow(
      `The bus broke its own rules:${violations.map((line) => `\n  ${line}`).join('')}`,
    );
  });

  it('fail the end of a test, and name what a closed bus has left', async () => {
    const t = await busy();
    wiring(t).ledger.queued++;
    wiring(t).ledger.admitted++;
    await t.bus.close({ mode: 'abort' });

    await expect(t.close()).rejects.toThrow('The bus broke its own rules:\n  closed, but 1 queued');
  });

  it('name a delivery with two outcomes', async () => {
    const t = createTestBus();
    const invariants = told(t, (seen) => [
      ...seen,
      ...seen.filter(({ what }) => what === 'handled'),
    ]);
    t.bus.register('editor').subscribe('draft', () => {});
    t.bus.publish('draft', 1);
    await t.settle();

    expect(invariants.violations()).toContain(
      'm1 has 2 outcomes for 1 deliveries: handled at editor, handled at editor',
    );
  });

  it('name what one sender said first and a mailbox began last', async () => {
    const t = createTestBus();
    const invariants = told(t, (seen) => seen.toReversed());
    const begun: { agent: string }[] = [];
    t.bus.register('editor').subscribe('draft.*', (_, context) => {
      begun.push(context);
      invariants.began(context as never);
    });
    t.bus.publish('draft.1', 1);
    t.bus.publish('draft.2', 2);
    t.bus.publish('draft.3', 3, { priority: 'high' });
    await t.settle();

    expect(invariants.violations()).toEqual(['editor began m1 before m2, which $host said first']);
    expect(begun).toHaveLength(3);
  });

  it('do not look for order where an option changes it', async () => {
    const t = createTestBus();
    const agent = t.bus.register('editor', { concurrency: 2 });
    const heard: unknown[] = [];
    agent.subscribe('draft.*', async ({ payload }) => void heard.push(payload), {
      key: (message) => String(message.payload),
    });
    agent.subscribe('memo', ({ payload }) => void heard.push(payload), {
      rateLimit: { limit: 1, perMs: 100 },
    });
    for (const n of [1, 1, 2, 1, 2]) t.bus.publish(`draft.${n}`, n);
    for (const n of [7, 8, 9]) t.bus.publish('memo', n);

    await t.run();
    await t.close();

    expect(heard).toHaveLength(8);
  });

  // No false alarm: whatever order the lanes come in, and whatever the mailboxes are told to do.
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    'hold in the order of chance of seed %i',
    async (seed) => {
      const t = createTestBus({ seed, shuffle: true, leaks: 'allow' });
      const tight = t.bus.register('tight', { capacity: 2, overflow: 'wait' });
      tight.subscribe('work.*', () => Promise.resolve());
      const flaky = t.bus.register('flaky', { concurrency: 2 });
      flaky.subscribe(
        'work.*',
        ({ payload }, { attempt }) => {
          if (Number(payload) % 3 === 0 && attempt < 2) throw new Error('again');
        },
        { retry: { maxAttempts: 2, order: seed % 2 === 0 ? 'requeue' : 'in-place' } },
      );
      for (const name of ['ann', 'bob']) {
        t.bus.register(name).subscribe('work.*', () => Promise.resolve(), { group: 'pair' });
      }
      const dies = t.bus.register('dies', { capacity: 3, overflow: 'drop-oldest' });
      dies.subscribe('work.*', () => Promise.reject(new Error('no')));
      const speaker = t.bus.register('speaker');
      for (let n = 0; n < 12; n++) {
        const voice = n % 2 === 0 ? t.bus : speaker;
        voice.publish(`work.${n}`, n, { priority: n % 4, delayMs: n % 5 === 0 ? 7 : 0 });
        if (n === 6) await t.clock.advance(10);
      }
      await t.run();
      await t.bus.deadLetters.redrive({ recipient: 'dies' });
      await t.run();

      t.invariants.check();
      await t.close();
    },
  );
});
