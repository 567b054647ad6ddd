// What handlers, generators and middleware do that nobody means to do, and what has to hold all the same.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MessageBus } from '../../src/index.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, hang, outcomeOf } from './books.ts';

const unhandled: unknown[] = [];
const note = (error: unknown): void => {
  unhandled.push(error);
};

beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});

afterEach(() => {
  process.off('unhandledRejection', note);
});

function answerInTheirPlace(bus: MessageBus): void {
  const handle = (_message: unknown, _context: unknown, next: () => unknown): string => {
    next();
    return 'mine';
  };
  bus.use({ name: 'hasty', handle });
}

/** A promise that throws when somebody asks what kind it is. */
function poisoned(): Promise<string> {
  const kind = { get: () => boom() };
  return Object.defineProperty(Promise.resolve('never read'), 'constructor', kind);
}

function boom(): never {
  throw new Error('boom');
}

describe.each(['real', 'simulated'] as const)('odd handlers, on the %s Env', (env) => {
  // R:F5 R:D4
  it('a generator whose middleware answered in its place is told to end', async () => {
    const { bus, settle } = makeBus(env);
    answerInTheirPlace(bus);
    let made = 0;
    let ended = 0;
    bus.register('a').serve('q', async function* () {
      try {
        // A test that fails must end, too.
        while (made < 1_000) yield ++made;
      } finally {
        ended++;
      }
    });

    const asked = outcomeOf(bus.request('q', 1));
    await settle();

    expect(asked.now()).toEqual({ value: 'mine' });
    expect({ made, ended }).toEqual({ made: 1, ended: 1 });
    expectBalanced(bus);
  });

  // R:C1
  it.each([
    ['a promise', () => Promise.reject(new Error('boom'))],
    [
      'a generator',
      async function* () {
        yield 1;
        boom();
      },
    ],
  ])(
    '%s that fails after a middleware has dropped it is no unhandled rejection',
    async (_, handle) => {
      const { bus, settle } = makeBus(env);
      answerInTheirPlace(bus);
      bus.register('a').serve('q', handle);
      bus.subscribe('t', handle);

      const asked = outcomeOf(bus.request('q', 1));
      bus.publish('t', 1);
      await settle();
      await new Promise((resolve) => setImmediate(resolve));

      expect(asked.now()).toEqual({ value: 'mine' });
      expect(unhandled).toEqual([]);
      expect(bus.inspect()).toMatchObject({ handled: 2 });
      expectBalanced(bus);
    },
  );

  // R:F5
  it('a synchronous generator is told to end when a promise that it yielded fails', async () => {
    const { bus, settle } = makeBus(env);
    let ended = 0;
    bus.register('a').serve('q', function* () {
      try {
        yield Promise.reject(new Error('boom'));
      } finally {
        ended++;
      }
    });

    const asked = outcomeOf(bus.request('q', 1));
    await settle();

    expect(asked.now()).toMatchObject({ error: { message: 'boom' } });
    expect(ended).toBe(1);
    expectBalanced(bus);
  });

  // R:C1 R:B4
  it('a promise that throws when it is awaited is a failure of its handler', async () => {
    const { bus, settle } = makeBus(env);
    bus.subscribe('t', poisoned);
    bus.register('a').serve('q', poisoned);

    const asked = outcomeOf(bus.request('q', 1));
    bus.publish('t', 1);
    await settle();

    expect(asked.now()).toMatchObject({ error: { message: 'boom' } });
    expect(bus.inspect()).toMatchObject({ inFlight: 0, deadLettered: 2 });
    expect(unhandled).toEqual([]);
    expectBalanced(bus);
  });

  it('a `where` that has thrown is not asked again', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    const before = outcomeOf(agent.receive({ timeoutMs: 0 }));
    await settle();
    let looks = 0;
    const where = (): boolean => {
      looks++;
      return boom();
    };

    for (let n = 0; n < 3; n++) bus.send('a', 't', n);
    const taken = outcomeOf(agent.receive({ where }));
    await settle();

    expect(before.now()).not.toMatchObject({ error: expect.anything() });
    expect(taken.now()).toMatchObject({ error: { message: 'boom' } });
    expect(looks).toBe(1);
  });

  it.each(['returns', 'throws'])(
    'a repetition gets what was answered early, when the handler %s after that',
    async (end) => {
      const { bus, settle } = makeBus(env);
      let calls = 0;
      const idempotent = { windowMs: 60_000 };
      bus.register('a').serve(
        'pay',
        async (_request, context) => {
          context.reply(`paid ${++calls}`);
          if (end === 'throws') boom();
        },
        { idempotent },
      );

      const one = outcomeOf(bus.request('pay', 1, { idempotencyKey: 'k' }));
      await settle();
      const two = outcomeOf(bus.request('pay', 1, { idempotencyKey: 'k' }));
      await settle();

      expect([one.now(), two.now()]).toEqual([{ value: 'paid 1' }, { value: 'paid 1' }]);
    },
  );

  it('a repetition is not called off with the first call: the handler is called again', async () => {
    const { bus, settle } = makeBus(env);
    let calls = 0;
    bus.register('a', { concurrency: 2 }).serve(
      'pay',
      (_request, { signal }) => {
        if (++calls === 2) return 'paid';
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      },
      { idempotent: { windowMs: 60_000 } },
    );
    const first = new AbortController();

    const one = outcomeOf(bus.request('pay', 1, { idempotencyKey: 'k', signal: first.signal }));
    const two = outcomeOf(bus.request('pay', 1, { idempotencyKey: 'k' }));
    const three = outcomeOf(bus.request('pay', 1, { idempotencyKey: 'k' }));
    await settle();
    first.abort(new Error('changed my mind'));
    await settle();

    expect(one.now()).toMatchObject({ error: { message: 'changed my mind' } });
    expect([two.now(), three.now()]).toEqual([{ value: 'paid' }, { value: 'paid' }]);
    expect(calls).toBe(2);
    expectBalanced(bus);
  });
});

describe('a batch that is overdue in a long turn', () => {
  it('is shown once', () => {
    const { bus } = makeBus('real');
    bus.register('a').subscribeBatch('t', hang, { batch: { max: 5, waitMs: 1 } });
    const { id } = bus.publish('t', 1);

    const until = performance.now() + 3;
    while (performance.now() < until);

    expect(bus.conversation(id).deliveries).toHaveLength(1);
  });
});
