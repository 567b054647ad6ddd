import { describe, expect, it } from 'vitest';
import {
  type BroadcastOptions,
  type BroadcastReceipt,
  defineContract,
  isTellaskError,
  type MessageBus,
  type Recipients,
  type StandardSchema,
} from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, outcomeOf } from './books.ts';

/** Counts how often it was asked, and turns text into its length. */
function counting(): { schema: StandardSchema<string, number>; calls(): number } {
  let calls = 0;
  const validate = (value: unknown) => {
    calls++;
    if (typeof value === 'string') return { value: value.length };
    return { issues: [{ message: 'no text' }] };
  };
  const schema = { '~standard': { version: 1, vendor: 'test', validate } };
  return { schema: schema as never, calls: () => calls };
}

function listeners(bus: MessageBus, ...names: string[]): string[] {
  const log: string[] = [];
  for (const name of names) {
    bus.register(name, { capabilities: ['hear'] }).subscribe('news', (message) => {
      log.push(`${name} hears ${message.payload} from ${message.from}`);
    });
  }
  return log;
}

const brief = ({ recipients }: BroadcastReceipt): string[] =>
  recipients.map(({ to, error }) => {
    if (error === undefined) return to;
    return `${to} ${isTellaskError(error) ? error.code : (error as Error).message}`;
  });

// F:A13
describe.each(['real', 'simulated'] as const)('broadcast, on the %s Env', (env) => {
  it.each([
    ['names', ['c', 'a', 'c'], {}, ['c', 'a']],
    ['a capability', { capability: 'hear' }, {}, ['a', 'b', 'c']],
    ['nobody', [], {}, []],
    ['all but one', ['a', 'b', 'c'], { exclude: 'b' }, ['a', 'c']],
    ['all but some', ['a', 'b', 'c'], { exclude: ['c', 'a', 'nobody'] }, ['b']],
  ] as const)('reaches %s, once each', async (_what, to, options, expected) => {
    const { bus, settle } = makeBus(env);
    const log = listeners(bus, 'a', 'b', 'c');

    const told = bus.broadcast(to as Recipients, 'news', 'tea', options as BroadcastOptions);
    expect(log).toEqual([]);
    await settle();

    expect(brief(told)).toEqual(expected);
    expect(log.sort()).toEqual([...expected].sort().map((name) => `${name} hears tea from $host`));
    expect(bus.inspect()).toMatchObject({ admitted: expected.length, handled: expected.length });
  });

  it('leaves out who says it, unless it asks for the echo', async () => {
    const { bus, settle } = makeBus(env);
    const log = listeners(bus, 'a');
    const b = bus.register('b', { capabilities: ['hear'] });
    b.subscribe('news', (_m, context) => {
      log.push('b hears');
      expect(brief(context.broadcast(['a', 'b'], 'news', 'more'))).toEqual(['a']);
    });

    const quiet = b.broadcast({ capability: 'hear' }, 'news', 1);
    const loud = b.broadcast({ capability: 'hear' }, 'news', 2, { echo: true });
    await settle();

    expect([brief(quiet), brief(loud)]).toEqual([['a'], ['a', 'b']]);
    expect(log.sort()).toEqual([
      'a hears 1 from b',
      'a hears 2 from b',
      'a hears more from b',
      'b hears',
    ]);
  });

  it('refuses to one what it does not refuse to the others', async () => {
    const { bus, settle } = makeBus(env);
    const log = listeners(bus, 'a', 'z');
    bus.register('full', { capacity: 0 });
    bus.use({
      name: 'not to m',
      outgoing: (draft, next) => {
        if (draft.to !== 'm') next();
      },
    });
    bus.register('m');

    const told = bus.broadcast(['a', 'full', 'nobody', 'm', 'z'], 'news', 1);
    await settle();

    expect(brief(told)).toEqual([
      'a',
      'full TELLASK_MAILBOX_FULL',
      'nobody TELLASK_UNKNOWN_RECIPIENT',
      'm TELLASK_DENIED',
      'z',
    ]);
    expect(log).toHaveLength(2);
    expect(bus.inspect()).toMatchObject({ admitted: 2, handled: 2, refused: 3 });
    expectBalanced(bus);
  });

  it('says what became of each, and never rejects', async () => {
    const { bus, settle } = makeBus(env);
    listeners(bus, 'fine');
    bus.register('broken').subscribe('news', () => {
      throw new Error('mine');
    });
    const gone = bus.register('gone');
    gone.subscribe('news', () => {})[Symbol.dispose]();
    const left = gone.subscribe('news', () => {});
    gone.pause();

    const told = bus.broadcast(['fine', 'broken', 'gone', 'nobody'], 'news', 1);
    const settled = outcomeOf(told.settled);
    await settle();
    expect(settled.now()).toBe('pending');
    left.unsubscribe();
    await settle();

    expect(settled.now()).toMatchObject({
      value: [
        { to: 'fine', outcome: 'handled' },
        { to: 'broken', outcome: 'dead-lettered', letterId: expect.any(String) },
        { to: 'gone', outcome: 'cancelled' },
        { to: 'nobody', outcome: 'refused', error: { code: 'TELLASK_UNKNOWN_RECIPIENT' } },
      ],
    });
    expect(told.settled).toBe(told.settled);
    expect('then' in told).toBe(false);
  });

  // R:E1
  it('checks and takes the payload once', async () => {
    const { schema, calls } = counting();
    const contract = defineContract({ topics: { news: schema } });
    const { bus, settle } = makeBus(env, { contract });
    const seen: unknown[] = [];
    for (const name of ['a', 'b', 'c']) {
      bus.register(name).subscribe('news', (message) => void seen.push(message.payload));
    }

    bus.broadcast(['a', 'b', 'c'], 'news', 'text');
    await settle();

    expect(seen).toEqual([4, 4, 4]);
    expect(calls()).toBe(1);
  });

  it('checks what a middleware makes of it for one alone', async () => {
    const { schema, calls } = counting();
    const { bus, settle } = makeBus(env, {
      contract: defineContract({ topics: { news: schema } }),
    });
    bus.use({
      name: 'longer for b',
      outgoing: (draft, next) => {
        if (draft.to === 'b') draft.payload = 'longer text';
        next();
      },
    });
    const seen: Record<string, unknown> = {};
    for (const name of ['a', 'b']) {
      bus.register(name).subscribe('news', ({ payload }) => {
        seen[name] = payload;
      });
    }

    bus.broadcast(['a', 'b'], 'news', 'text');
    await settle();

    expect(seen).toEqual({ a: 4, b: 11 });
    expect(calls()).toBe(2);
  });

  it('throws before anything is delivered when it is wrong for all', async () => {
    const contract = defineContract({ topics: { news: counting().schema } });
    const { bus, settle } = makeBus(env, { contract });
    bus.register('a');
    const say = (...said: unknown[]): unknown =>
      codeOf(() => (bus.broadcast as (...all: unknown[]) => unknown).call(bus, ...said));

    const codes = [
      say(['a'], 'news', 7),
      say(['a'], 'mews', 'x'),
      say(['a'], '$own', 'x'),
      say('a', 'news', 'x'),
      say([1], 'news', 'x'),
      say(['a'], 'news', 'x', { exclude: 1 }),
      say(['a'], 'news', 'x', { exlude: 'a' }),
      say(['a'], 'news', 'x', { priority: 11 }),
      say(['a'], 'news', 'x', { dedupeKey: '' }),
      say(['a'], 'news', 'x', null),
    ];
    await settle();
    await bus.close();

    expect(codes.slice(0, 3)).toEqual([
      'TELLASK_VALIDATION',
      'TELLASK_UNKNOWN_TOPIC',
      'TELLASK_DENIED',
    ]);
    expect(codes.slice(3).map((error) => (error as Error).name)).toEqual([
      'TypeError',
      'TypeError',
      'TypeError',
      'TypeError',
      'RangeError',
      'TypeError',
      'TypeError',
    ]);
    expect(say(['a'], 'news', 'x')).toBe('TELLASK_CLOSED');
    expect(bus.inspect().admitted).toBe(0);
  });

  it('keeps a dedupeKey for each recipient', async () => {
    const { bus, settle } = makeBus(env);
    const log = listeners(bus, 'a', 'b');

    const once = bus.broadcast(['a'], 'news', 1, { dedupeKey: 'k' });
    const again = bus.broadcast(['a', 'b'], 'news', 1, { dedupeKey: 'k' });
    await settle();

    expect(log).toHaveLength(2);
    expect(again.recipients.map(({ receipt }) => receipt?.duplicate)).toEqual([true, false]);
    expect(again.recipients[0]?.receipt?.id).toBe(once.recipients[0]?.receipt?.id);
  });

  // R:E4
  it('is sending, to a restricted handle', async () => {
    const { bus } = makeBus(env);
    const guest = bus.register('guest').restrict({ send: ['other'] });

    expect(codeOf(() => guest.broadcast([], 'news', 1))).toBe('TELLASK_DENIED');
  });
});

describe('a delayed broadcast', () => {
  it('goes out when it is due, and tells what was never sent', async () => {
    const t = createTestBus();
    const log = listeners(t.bus, 'a', 'b');

    const told = t.bus.broadcast(['a', 'b', 'nobody'], 'news', 1, { delayMs: 100 });
    told.recipients[1]?.receipt?.cancel();
    await t.clock.advance(99);
    expect(log).toEqual([]);
    await t.clock.advance(1);

    expect(await told.settled).toEqual([
      { to: 'a', outcome: 'handled' },
      { to: 'b', outcome: 'unsent' },
      { to: 'nobody', outcome: 'unsent' },
    ]);
    expect(log).toHaveLength(1);
  });
});
