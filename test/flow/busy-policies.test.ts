import { describe, expect, it } from 'vitest';
import type { BusyPolicy, Context, Message } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, gate, hang, outcomeOf } from './books.ts';

type Opener = { readonly opened: Promise<void>; open(): void };

/** A handler that runs until its message is let go, and writes down what happens to it. */
function worker(): {
  readonly log: string[];
  readonly handle: (message: Message, context: Context) => Promise<void>;
  letGo(payload: unknown): void;
} {
  const log: string[] = [];
  const gates = new Map<unknown, Opener>();
  const gateOf = (payload: unknown): Opener => {
    const known = gates.get(payload) ?? gate();
    gates.set(payload, known);
    return known;
  };
  const handle = async ({ payload }: Message, { signal }: Context): Promise<void> => {
    log.push(`${payload} begins`);
    signal.addEventListener('abort', () => log.push(`${payload}: ${signal.reason.code}`));
    await gateOf(payload).opened;
    log.push(`${payload} ends`);
  };
  return { log, handle, letGo: (payload) => gateOf(payload).open() };
}

const byLetter = ({ payload }: Message): unknown => String(payload).at(0);

// R:G3 F:B17
describe.each(['real', 'simulated'] as const)('busy policies, on the %s Env', (env) => {
  it('queue is as it is without a policy: everything is handled, in order', async () => {
    const { bus, settle } = makeBus(env);
    const { log, handle, letGo } = worker();
    bus.subscribe('x', handle, { busy: 'queue' });
    for (const n of [1, 2, 3]) bus.publish('x', n);
    for (const n of [1, 2, 3]) letGo(n);

    await settle();

    expect(log.filter((line) => line.endsWith('ends'))).toEqual(['1 ends', '2 ends', '3 ends']);
    expect(bus.inspect()).toMatchObject({ handled: 3 });
  });

  describe('latest', () => {
    it('lets only the newest wait while one runs', async () => {
      const { bus, settle } = makeBus(env);
      const { log, handle, letGo } = worker();
      const cancelled: unknown[] = [];
      bus.events.on('cancelled', ({ message, reason }) => {
        cancelled.push([message.payload, reason]);
      });
      bus.subscribe('x', handle, { busy: 'latest' });
      bus.publish('x', 1);
      await settle();

      for (const n of [2, 3, 4]) bus.publish('x', n);
      expect(bus.inspect()).toMatchObject({ inFlight: 1, queued: 1, cancelled: 2 });
      for (const n of [1, 4]) letGo(n);
      await settle();

      expect(log).toEqual(['1 begins', '1 ends', '4 begins', '4 ends']);
      expect(cancelled).toEqual([
        [2, 'superseded'],
        [3, 'superseded'],
      ]);
      expectBalanced(bus);
    });

    it('supersedes what is queued and has not begun', async () => {
      const { bus, settle } = makeBus(env);
      const heard: unknown[] = [];
      bus.subscribe('x', ({ payload }) => heard.push(payload), { busy: 'latest' });

      const receipts = [1, 2, 3].map((n) => bus.publish('x', n));
      await settle();

      expect(heard).toEqual([3]);
      expect(await receipts[0]?.settled).toMatchObject({ handled: 0, cancelled: 1 });
      expectBalanced(bus);
    });

    it('rejects the asker of a request that is superseded', async () => {
      const { bus, settle } = makeBus(env);
      bus.register('a').serve('q', ({ payload }) => payload, { busy: 'latest' });

      const answers = [1, 2].map((n) => outcomeOf(bus.request('q', n)));
      await settle();

      expect(answers[0]?.now()).toMatchObject({
        error: { code: 'TELLASK_CANCELLED', reason: 'superseded' },
      });
      expect(answers[1]?.now()).toEqual({ value: 2 });
    });
  });

  describe('interrupt', () => {
    it('aborts and fences the running handler and delivers the newcomer', async () => {
      const { bus, settle } = makeBus(env);
      const { log, handle, letGo } = worker();
      const fenced: unknown[] = [];
      let first: Context | undefined;
      bus.subscribe(
        'x',
        (message, context) => {
          first ??= context;
          return handle(message, context);
        },
        { busy: 'interrupt' },
      );
      bus.publish('x', 1);
      await settle();

      const receipt = bus.publish('x', 2);
      expect(bus.inspect()).toMatchObject({ inFlight: 0, queued: 1, cancelled: 1, abandoned: 1 });
      for (const say of [() => first?.publish('y', 1), () => first?.steered()]) {
        fenced.push(codeOf(say));
      }
      await settle();
      letGo(1);
      letGo(2);
      await settle();

      expect(log).toEqual(['1 begins', '1: TELLASK_INTERRUPTED', '2 begins', '1 ends', '2 ends']);
      expect(fenced).toEqual(['TELLASK_FENCED', 'TELLASK_FENCED']);
      expect(first?.signal.reason).toMatchObject({ by: receipt.id });
      expect(bus.inspect()).toMatchObject({ handled: 1, cancelled: 1 });
      expectBalanced(bus);
    });

    it('tells the asker of the interrupted request, and ignores its late answer', async () => {
      const { bus, settle } = makeBus(env);
      const slow = gate();
      const answer = ({ payload }: Message): unknown =>
        payload === 1 ? slow.opened.then(() => 'late') : payload;
      bus.register('a').serve('q', answer, { busy: 'interrupt' });
      const first = outcomeOf(bus.request('q', 1));
      await settle();

      const second = outcomeOf(bus.request('q', 2));
      await settle();
      slow.open();
      await settle();

      expect(first.now()).toMatchObject({
        error: { code: 'TELLASK_CANCELLED', reason: 'interrupted' },
      });
      expect(second.now()).toEqual({ value: 2 });
      expectBalanced(bus);
    });

    it('calls off what the interrupted handler waits for', async () => {
      const { bus, settle } = makeBus(env);
      const reasons: unknown[] = [];
      const ask = async (_: unknown, context: Context): Promise<void> => {
        await context.request('deep', 1).catch(({ code }) => reasons.push(code));
      };
      bus.register('deep').serve('deep', (_, { signal }) => {
        signal.addEventListener('abort', () => reasons.push(signal.reason.code));
        return hang();
      });
      bus.subscribe('x', (message, context) => message.payload === 1 && ask(message, context), {
        busy: 'interrupt',
      });
      bus.publish('x', 1);
      await settle();

      bus.publish('x', 2);
      await settle();

      expect(reasons).toEqual(['TELLASK_INTERRUPTED', 'TELLASK_INTERRUPTED']);
    });

    it('survives a handler that interrupts itself before its first await', async () => {
      const { bus, settle } = makeBus(env);
      const log: unknown[] = [];
      const unhandled: unknown[] = [];
      const note = (reason: unknown): void => void unhandled.push(reason);
      process.on('unhandledRejection', note);
      bus.subscribe(
        'x',
        async ({ payload }, context) => {
          log.push(`${payload} begins`);
          if (Number(payload) < 3) context.publish('x', Number(payload) + 1);
          log.push(context.signal.aborted);
          context.publish('y', payload);
        },
        { busy: 'interrupt' },
      );

      bus.publish('x', 1);
      await settle();
      process.off('unhandledRejection', note);

      expect(log).toEqual(['1 begins', true, '2 begins', true, '3 begins', false]);
      expect(unhandled).toEqual([]);
      expect(bus.inspect()).toMatchObject({ handled: 1, cancelled: 2, abandoned: 2, inFlight: 0 });
      expectBalanced(bus);
    });

    it.each(['returns', 'throws'])(
      'survives a plain function that interrupts itself and %s',
      async (how) => {
        const { bus, settle } = makeBus(env);
        const agent = bus.register('a');
        agent.subscribe(
          'x',
          ({ payload }, context) => {
            if (payload === 1) context.send('a', 'x', 2);
            if (payload === 1 && how === 'throws') throw new Error('boom');
          },
          { busy: 'interrupt', retry: { maxAttempts: 3 }, outbox: false },
        );

        bus.send('a', 'x', 1);
        await settle();

        expect(bus.inspect()).toMatchObject({ handled: 1, cancelled: 1, deadLettered: 0 });
        expect(agent.inspect()).toMatchObject({ running: 0, queued: 0 });
        expectBalanced(bus);
      },
    );

    it('takes a burst: what has not begun is superseded, what runs is interrupted once', async () => {
      const { bus, settle } = makeBus(env);
      const reasons: unknown[] = [];
      bus.events.on('cancelled', ({ message, reason }) => reasons.push([message.payload, reason]));
      bus.subscribe('x', ({ payload }) => (payload === 1 ? hang() : undefined), {
        busy: 'interrupt',
      });
      bus.publish('x', 1);
      await settle();

      for (const n of [2, 3, 4]) bus.publish('x', n);
      await settle();

      expect(reasons).toEqual([
        [1, 'interrupted'],
        [2, 'superseded'],
        [3, 'superseded'],
      ]);
      expect(bus.inspect()).toMatchObject({ handled: 1, abandoned: 1 });
    });

    it('is in order when who hears of the abort says the next message at once', async () => {
      const { bus, settle } = makeBus(env);
      const heard: unknown[] = [];
      bus.subscribe(
        'x',
        ({ payload }, { signal }) => {
          heard.push(payload);
          signal.addEventListener('abort', () => bus.publish('x', 3));
          return payload === 1 ? hang() : undefined;
        },
        { busy: 'interrupt' },
      );
      bus.publish('x', 1);
      await settle();

      bus.publish('x', 2);
      await settle();

      expect(heard).toEqual([1, 3]);
      expect(bus.inspect()).toMatchObject({ handled: 1, cancelled: 2, abandoned: 1 });
      expectBalanced(bus);
    });

    it('never begins a handler that was interrupted by who heard of its start', async () => {
      const { bus, settle } = makeBus(env);
      const heard: unknown[] = [];
      bus.events.on('started', ({ message }) => {
        if (message.payload === 1) bus.publish('x', 2);
      });
      bus.subscribe('x', ({ payload }) => heard.push(payload), { busy: 'interrupt' });

      bus.publish('x', 1);
      await settle();

      expect(heard).toEqual([2]);
      expectBalanced(bus);
    });
  });

  describe('steer', () => {
    it('lets the running handler read what comes, each message once', async () => {
      const { bus, settle } = makeBus(env);
      const steps = [gate(), gate()];
      const log: unknown[] = [];
      const read = ({ steered }: { steered: readonly Message[] }): unknown[] =>
        steered.map(({ payload }) => payload);
      bus.subscribe(
        'x',
        async ({ payload }, context) => {
          log.push(`${payload} begins`);
          if (payload !== 1) return;
          for (const step of steps) {
            await step.opened;
            log.push(read({ steered: context.steered() }));
          }
          log.push(read({ steered: context.steered() }));
        },
        { busy: 'steer' },
      );
      bus.publish('x', 1);
      await settle();
      const receipts = [2, 3].map((n) => bus.publish('x', n));
      steps[0]?.open();
      await settle();
      bus.publish('x', 4);
      steps[1]?.open();

      await settle();

      expect(log).toEqual(['1 begins', [2, 3], [4], []]);
      expect(await receipts[0]?.settled).toMatchObject({ handled: 1 });
      expect(bus.inspect()).toMatchObject({ handled: 4, queued: 0 });
      expectBalanced(bus);
    });

    it('delivers what was not read, in order', async () => {
      const { bus, settle } = makeBus(env);
      const { log, handle, letGo } = worker();
      bus.subscribe('x', handle, { busy: 'steer' });
      for (const n of [1, 2, 3]) bus.publish('x', n);
      for (const n of [1, 2, 3]) letGo(n);

      await settle();

      expect(log.filter((line) => line.endsWith('begins'))).toEqual([
        '1 begins',
        '2 begins',
        '3 begins',
      ]);
    });

    it('gives nothing to a handler that is over, or of another policy', async () => {
      const { bus, settle } = makeBus(env);
      const contexts: Context[] = [];
      const late: unknown[] = [];
      const keep = (_: unknown, context: Context): void => void contexts.push(context);
      bus.subscribe('x', keep, { busy: 'steer' });
      bus.subscribe('y', (_, context) => late.push(context.steered()));
      bus.publish('x', 1);
      bus.publish('y', 1);
      bus.publish('y', 2);
      await settle();
      bus.publish('x', 2);

      late.push(contexts[0]?.steered());
      await settle();

      expect(late).toEqual([[], [], []]);
      expect(contexts).toHaveLength(2);
    });
  });

  describe('reject', () => {
    it('refuses a directed message and a request while it works', async () => {
      const { bus, settle } = makeBus(env);
      const held = gate();
      const agent = bus.register('a');
      agent.subscribe('x', () => held.opened, { busy: 'reject' });
      agent.serve('q', ({ payload }) => payload, { busy: 'reject' });
      bus.send('a', 'x', 1);
      const first = outcomeOf(bus.request('q', 1));
      await settle();

      const codes = [codeOf(() => bus.send('a', 'x', 2))];
      const second = outcomeOf(bus.request('q', 2));
      await settle();

      expect(codes).toEqual(['TELLASK_BUSY']);
      expect(second.now()).toMatchObject({
        error: { code: 'TELLASK_BUSY', retryable: true, recipient: 'a', topic: 'q' },
      });
      expect(bus.inspect()).toMatchObject({ refused: 2, admitted: 2 });
      held.open();
      await settle();
      const third = outcomeOf(bus.request('q', 3));
      await settle();
      expect([first.now(), third.now()]).toEqual([{ value: 1 }, { value: 3 }]);
    });

    it('makes a dead letter of the copy of a publish', async () => {
      const { bus, settle } = makeBus(env);
      bus.subscribe('x', hang, { busy: 'reject' });

      bus.publish('x', 1);
      const receipt = bus.publish('x', 2);
      await settle();

      expect(await receipt.settled).toMatchObject({
        handled: 0,
        deadLettered: [expect.anything()],
      });
      expect(bus.deadLetters.list()).toMatchObject([
        { reason: 'rejected', error: { code: 'TELLASK_BUSY' }, attempts: 0 },
      ]);
      expect(receipt.overflowed).toEqual([]);
      expectBalanced(bus);
    });
  });

  it.each(['latest', 'interrupt', 'reject', 'steer'] as const)(
    '%s looks at one key at a time, and keys run in parallel',
    async (busy) => {
      const { bus, settle } = makeBus(env);
      const { log, handle } = worker();
      const agent = bus.register('a', { concurrency: 2 });
      agent.subscribe('x', handle, { busy, key: byLetter });

      bus.publish('x', 'p1');
      bus.publish('x', 'q1');
      await settle();
      bus.publish('x', 'p2');
      await settle();

      const second = busy === 'interrupt' ? ['p1: TELLASK_INTERRUPTED', 'p2 begins'] : [];
      expect(log).toEqual(['p1 begins', 'q1 begins', ...second]);
      expect(agent.inspect().running).toBe(2);
      expectBalanced(bus);
    },
  );

  it('lets messages without a key run freely under a policy', async () => {
    const { bus, settle } = makeBus(env);
    let running = 0;
    const count = (): Promise<never> => {
      running++;
      return hang();
    };
    bus.register('a', { concurrency: 3 }).subscribe('x', count, {
      busy: 'reject',
      key: () => undefined,
    });

    for (const n of [1, 2, 3]) bus.publish('x', n);
    await settle();

    expect(running).toBe(3);
  });

  it('asks a key function once for each message', async () => {
    const { bus, settle } = makeBus(env);
    const asked: unknown[] = [];
    const key = ({ payload }: Message): unknown => asked.push(payload);
    bus.register('a').subscribe('x', () => {}, { busy: 'reject', key });

    bus.send('a', 'x', 1);
    bus.publish('x', 2);
    await settle();

    expect(asked).toEqual([1, 2]);
  });
});

// R:G3
describe('the option busy', () => {
  const subscribe = (options: object): unknown =>
    createTestBus()
      .bus.register('a')
      .subscribe('x', () => {}, options);

  it('names the values that there are', () => {
    expect(() => subscribe({ busy: 'newest' as BusyPolicy })).toThrow(
      new TypeError(
        'busy must be one of queue, latest, interrupt, steer, reject, but it is "newest"',
      ),
    );
  });

  it('excludes a group', () => {
    expect(() => subscribe({ busy: 'latest', group: 'g' })).toThrow(/exclude each other/);
    expect(() => subscribe({ busy: 'queue', group: 'g' })).not.toThrow();
  });

  it('has no steer on serve', () => {
    const agent = createTestBus().bus.register('a');
    expect(() => agent.serve('q', () => {}, { busy: 'steer' as 'queue' })).toThrow(
      /is for subscribe/,
    );
  });
});
