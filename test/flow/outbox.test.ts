import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type Context,
  defineContract,
  type HandlerSettings,
  type Later,
  type Message,
  type MessageBus,
  type Receipt,
} from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, gate, hang, outcomeOf } from './books.ts';

const TWICE = { retry: { maxAttempts: 2, baseMs: 0, jitter: 'none' } } as const;
const NOTHING = { handled: 0, deadLettered: [], expired: 0, cancelled: 0 };

/** Everything that is heard on `out.**`, in order. */
function hear(bus: MessageBus): unknown[] {
  const heard: unknown[] = [];
  bus.subscribe('out.**', ({ payload }) => void heard.push(payload));
  return heard;
}

/** Lets a bus do what it can until a promise has settled, for retries come in later turns. */
async function over<T>(promise: Promise<T>, { settle }: { settle(): Promise<void> }): Promise<T> {
  const outcome = outcomeOf(promise);
  for (let turns = 0; turns < 100 && outcome.now() === 'pending'; turns++) await settle();
  return promise;
}

describe.each(['real', 'simulated'] as const)('the outbox, on the %s Env', (env) => {
  // R:A5
  it('says what the attempt that succeeds has said, once and in order', async () => {
    const { bus, settle } = makeBus(env);
    const heard = hear(bus);
    bus.register('scribe').subscribe('out.send', () => {});
    bus.register('worker').subscribe(
      'in',
      (_, context) => {
        context.publish('out.a', `first ${context.attempt}`);
        context.send('scribe', 'out.send', `sent ${context.attempt}`);
        context.broadcast(['scribe'], 'out.all', `all ${context.attempt}`);
        context.publish('out.b', `last ${context.attempt}`);
        if (context.attempt === 1) throw new Error('not yet');
      },
      TWICE,
    );
    bus.events.on('admitted', ({ topic, payload }) => topic !== 'in' && admitted.push(payload));
    const admitted: unknown[] = [];

    await over(bus.publish('in', 0).settled, { settle });
    await settle();

    expect(heard).toEqual(['first 2', 'last 2']);
    expect(admitted).toEqual(['first 2', 'sent 2', 'all 2', 'last 2']);
    expect(bus.inspect()).toMatchObject({ scheduled: 0, retries: 1 });
    expectBalanced(bus);
  });

  it('holds it until then: scheduled, outside of the equation, with its receipt', async () => {
    const { bus, settle } = makeBus(env);
    const heard = hear(bus);
    const done = gate();
    const receipts: Receipt[] = [];
    bus.subscribe(
      'in',
      async (_, context) => {
        receipts.push(context.publish('out.a', 'held'));
        await done.opened;
      },
      TWICE,
    );

    bus.publish('in', 0);
    await settle();
    bus.publish('out.a', 'said meanwhile');
    await settle();
    const [receipt] = receipts as [Receipt];

    expect(heard).toEqual(['said meanwhile']);
    expect(receipt.recipients).toEqual([]);
    expect(bus.inspect()).toMatchObject({ scheduled: 1, inFlight: 1, admitted: 2, messages: 2 });
    expectBalanced(bus);

    const settled = outcomeOf(receipt.settled);
    done.open();
    await settle();

    expect(heard).toEqual(['said meanwhile', 'held']);
    expect(settled.now()).toMatchObject({ value: { handled: 1 } });
    expect([receipt.recipients, receipt.overflowed, receipt.duplicate]).toEqual([
      ['$host'],
      [],
      false,
    ]);
    expect(bus.inspect()).toMatchObject({ scheduled: 0, admitted: 3 });
  });

  it('withdraws what a failed attempt has said: no deliveries, and nothing left to wait for', async () => {
    const { bus, settle } = makeBus(env);
    const heard = hear(bus);
    const receipts: Receipt[] = [];
    bus.subscribe(
      'in',
      (_, context) => {
        receipts.push(context.publish('out.a', context.attempt));
        throw new Error('never');
      },
      TWICE,
    );

    await over(bus.publish('in', 0).settled, { settle });
    await settle();

    expect(heard).toEqual([]);
    for (const receipt of receipts) {
      expect(await receipt.settled).toEqual(NOTHING);
      await receipt.accepted;
      expect(receipt.cancel()).toBe(false);
    }
    expect(receipts).toHaveLength(2);
    expect(bus.inspect()).toMatchObject({ scheduled: 0, admitted: 1, deadLettered: 1 });
  });

  it.each<[string, HandlerSettings, boolean]>([
    ['no retry', {}, false],
    ['retry: false', { retry: false }, false],
    ['one attempt', { retry: { maxAttempts: 1 } }, false],
    ['several attempts', { retry: { maxAttempts: 2 } }, true],
    ['retry: {}', { retry: {} }, true],
    ['several, outbox: false', { retry: { maxAttempts: 2 }, outbox: false }, false],
    ['no retry, outbox: true', { outbox: true }, true],
  ])('is on or off by %s', async (_, options, isHeld) => {
    const { bus, settle } = makeBus(env);
    const held: number[] = [];
    const note = (_: unknown, context: Context): void => {
      const before = bus.inspect().scheduled;
      context.publish('out.a', 0);
      held.push(bus.inspect().scheduled - before);
    };
    bus.subscribe('in', note, options);
    bus.register('listener').subscribe('in', note, options);
    bus.register('responder').serve('ask', note, options);
    const batch = { ...options, batch: { waitMs: 0 } };
    const noteAll = ([one]: readonly Message[], { for: of }: { for(m: Message): Context }) =>
      note(one, of(one as Message));
    bus.subscribeBatch('in', (all, context) => noteAll(all, { for: (m) => context.for(m) }), batch);

    bus.publish('in', 0);
    await over(bus.request('ask', 0), { settle });
    await settle();

    expect(held).toEqual(isHeld ? [1, 1, 1, 1] : [0, 0, 0, 0]);
    expect(bus.inspect().scheduled).toBe(0);
  });

  it('refuses at the call what is wrong with it then', async () => {
    const contract = defineContract({
      topics: { 'out.a': z.object({ n: z.number() }), in: z.any() },
    });
    const { bus, settle } = makeBus(env, { contract });
    bus.register('full', { capacity: 0 }).subscribe('in', () => {});
    const codes: unknown[] = [];
    const handler = (_: unknown, context: Context): void => {
      const calls = [
        () => context.publish('out.a', { n: 'no number' }),
        () => context.publish('nobody.knows', 0),
        () => context.publish('$bus.own', 0),
        () => context.publish('a b', 0),
        () => context.send('zoe', 'in', 0),
        () => context.send('full', 'in', 0),
        () => context.publish('in', 0, { dedupeKey: '' }),
      ];
      codes.push(...calls.map((call) => codeOf(call)));
    };
    bus.subscribe('in', handler as never, TWICE);

    bus.publish('in', 0);
    await settle();

    expect(codes).toEqual([
      'TELLASK_VALIDATION',
      'TELLASK_UNKNOWN_TOPIC',
      'TELLASK_DENIED',
      'TELLASK_INVALID_TOPIC',
      'TELLASK_UNKNOWN_RECIPIENT',
      'TELLASK_MAILBOX_FULL',
      expect.any(TypeError),
    ]);
    expect(bus.inspect()).toMatchObject({ scheduled: 0, admitted: 2, handled: 1 });
  });

  it('keeps a letter of what is refused only when it leaves', async () => {
    const { bus, settle } = makeBus(env);
    const gone = bus.register('gone');
    const small = bus.register('small', { capacity: 1 });
    const done = gate();
    const receipts: Receipt[] = [];
    bus.subscribe(
      'in',
      async (_, context) => {
        receipts.push(context.send('gone', 'x', 1), context.send('small', 'x', 2));
        await done.opened;
      },
      TWICE,
    );

    bus.publish('in', 0);
    await settle();
    await gone.leave();
    bus.send('small', 'x', 'in its place');
    done.open();
    await settle();

    const letters = bus.deadLetters.list().map(({ reason, refused, message }) => {
      return `${reason} ${refused} ${message.to} ${message.payload}`;
    });
    expect(letters).toEqual(['unknown-recipient true gone 1', 'overflow true small 2']);
    for (const receipt of receipts) expect(await receipt.settled).toEqual(NOTHING);
    expect(small.inspect().queued).toBe(1);
    expect(bus.inspect()).toMatchObject({ scheduled: 0, refused: 2 });
    expectBalanced(bus);
  });

  it('takes the payload and gives the id at the call', async () => {
    const { bus, settle } = makeBus(env);
    const seen: Message[] = [];
    bus.subscribe('out.a', (message) => void seen.push(message));
    const ids: string[] = [];
    bus.subscribe(
      'in',
      (_, context) => {
        const payload = { n: 1 };
        ids.push(context.publish('out.a', payload).id);
        payload.n = 2;
      },
      TWICE,
    );

    const { id } = bus.publish('in', 0);
    await settle();

    expect(seen).toMatchObject([{ payload: { n: 1 }, causationId: id }]);
    expect(seen.map((message) => message.id)).toEqual(ids);
  });

  it('does not hold requests', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.subscribe('out.a', () => void log.push('told'));
    bus.register('oracle').serve('ask', () => void log.push('asked'));
    bus.subscribe(
      'in',
      async (_, context) => {
        context.publish('out.a', 0);
        await context.request('ask', 0);
      },
      TWICE,
    );

    await over(bus.publish('in', 0).settled, { settle });
    await over(bus.drain(), { settle });

    expect(log).toEqual(['asked', 'told']);
  });

  describe('with options', () => {
    it('leaves no dedupeKey behind when it is withdrawn, and knows its own', async () => {
      const { bus, settle } = makeBus(env);
      const heard = hear(bus);
      const receipts: Receipt[] = [];
      bus.register('a').subscribe(
        'in',
        (_, context) => {
          for (const n of [1, 2]) receipts.push(context.publish('out.a', n, { dedupeKey: 'k' }));
          if (context.attempt === 1) throw new Error('not yet');
        },
        TWICE,
      );

      await over(bus.publish('in', 0).settled, { settle });
      await settle();

      expect(heard).toEqual([1]);
      expect(receipts.map(({ duplicate }) => duplicate)).toEqual([false, true, false, true]);
      expect(receipts[2]?.id).toBe(receipts[3]?.id);
      expect(await receipts[3]?.settled).toMatchObject({ handled: 1 });
      expect(bus.inspect().duplicates).toBe(2);
    });

    it('is the duplicate of what was said with its key while it was held', async () => {
      const { bus, settle } = makeBus(env);
      const heard = hear(bus);
      const agent = bus.register('a', { concurrency: 2 });
      const done = gate();
      const receipts: Receipt[] = [];
      agent.subscribe(
        'in',
        async (_, context) => {
          receipts.push(context.publish('out.a', 'held', { dedupeKey: 'k' }));
          await done.opened;
        },
        TWICE,
      );

      bus.publish('in', 0);
      await settle();
      agent.publish('out.a', 'first', { dedupeKey: 'k' });
      done.open();
      await settle();

      expect(heard).toEqual(['first']);
      expect(receipts[0]?.duplicate).toBe(true);
      expect(await receipts[0]?.settled).toMatchObject({ handled: 1 });
      expect(bus.inspect()).toMatchObject({ duplicates: 1, scheduled: 0 });
      expect(agent.publish('out.a', 'again', { dedupeKey: 'k' }).duplicate).toBe(true);
    });

    it('gives back to its budget what is withdrawn', async () => {
      const { bus, settle } = makeBus(env);
      const heard = hear(bus);
      const spent: number[] = [];
      bus.subscribe(
        'in',
        (_, context) => {
          for (const n of [1, 2]) context.publish('out.a', n);
          spent.push(context.budget.spent.messages);
          if (context.attempt === 1) throw new Error('not yet');
        },
        TWICE,
      );

      await over(bus.publish('in', 0, { budget: { messages: 2 } }).settled, { settle });
      await settle();

      expect(spent).toEqual([2, 2]);
      expect(heard).toEqual([1, 2]);
    });

    it('retains a value when it leaves', async () => {
      const { bus, settle } = makeBus(env);
      const retained: number[] = [];
      bus.subscribe(
        'in',
        (_, context) => {
          context.publish('out.a', context.attempt, { retain: true });
          retained.push(bus.inspect().retainedTopics);
          if (context.attempt === 1) throw new Error('not yet');
        },
        TWICE,
      );

      await over(bus.publish('in', 0).settled, { settle });
      const replayed: unknown[] = [];
      bus.subscribe('out.a', ({ payload }) => void replayed.push(payload), { replay: true });
      await settle();

      expect(retained).toEqual([0, 0]);
      expect(replayed).toEqual([2]);
    });

    it('can be taken back while it is held, alone or with its conversation', async () => {
      const { bus, settle } = makeBus(env);
      const heard = hear(bus);
      const done = gate();
      const receipts: Receipt[] = [];
      bus.subscribe(
        'in',
        async (_, context) => {
          for (const n of [1, 2, 3]) receipts.push(context.publish('out.a', n));
          await done.opened;
        },
        TWICE,
      );

      const { id } = bus.publish('in', 0);
      await settle();
      const talk = bus.conversation(id);
      expect(talk.scheduled.map(({ payload }) => payload)).toEqual([1, 2, 3]);
      expect([receipts[1]?.cancel(), receipts[1]?.cancel()]).toEqual([true, false]);
      done.open();
      await settle();

      expect(heard).toEqual([1, 3]);
      expect(await receipts[1]?.settled).toEqual(NOTHING);
      expect(talk.scheduled).toEqual([]);
      expect(receipts[0]?.cancel()).toBe(false);
    });

    it('reaches many: what is withdrawn was not sent', async () => {
      const { bus, settle } = makeBus(env);
      bus.register('bob').subscribe('**', () => {});
      const outcomes: unknown[] = [];
      bus.register('ann').subscribe(
        'in',
        (_, context) => {
          const { settled } = context.broadcast(['bob', 'zoe'], 'x', 0);
          void settled.then((all) => outcomes.push(all.map((one) => `${one.to} ${one.outcome}`)));
          if (context.attempt === 1) throw new Error('not yet');
        },
        TWICE,
      );

      await over(bus.publish('in', 0).settled, { settle });
      await settle();

      expect(outcomes).toEqual([
        ['bob unsent', 'zoe refused'],
        ['bob handled', 'zoe refused'],
      ]);
    });
  });

  describe('says what was said when the handler', () => {
    it('is skipped by a middleware that has said something itself', async () => {
      const { bus, settle } = makeBus(env);
      const heard = hear(bus);
      bus.use({
        name: 'gate',
        handle: ({ topic }, context, next) =>
          topic === 'in' ? void context.publish('out.a', 'not now') : next(),
      });
      bus.subscribe('in', () => {}, TWICE);

      expect(await over(bus.publish('in', 0).settled, { settle })).toMatchObject({ cancelled: 1 });
      await settle();

      expect(heard).toEqual(['not now']);
    });

    it('puts its answer off: it is never called again, and may wait for who hears it', async () => {
      const { bus, settle } = makeBus(env);
      const boss = bus.register('boss');
      let later: Later | undefined;
      bus.register('person').subscribe('out.asked', () => void later?.answer('yes'));
      boss.serve(
        'approve',
        (_, context) => {
          context.publish('out.asked', 0);
          later = context.defer();
          return later;
        },
        TWICE,
      );

      expect(await over(bus.request('approve', 0), { settle })).toBe('yes');
      await settle();

      expect(bus.inspect()).toMatchObject({ scheduled: 0, deferred: 0, handled: 2 });
      expectBalanced(bus);
    });

    it('hands the request over', async () => {
      const { bus, settle } = makeBus(env);
      const heard = hear(bus);
      bus.register('clerk').serve(
        'ask',
        (_, context) => {
          context.publish('out.a', 'passed on');
          return context.forward('expert');
        },
        TWICE,
      );
      bus.register('expert').serve('ask', () => {
        throw new Error('no idea');
      });

      await expect(over(bus.request('ask', 0, { to: 'clerk' }), { settle })).rejects.toThrow(
        'no idea',
      );
      await over(bus.drain(), { settle });

      expect(heard).toEqual(['passed on']);
    });

    it('is a generator that comes to its end', async () => {
      const { bus, settle } = makeBus(env);
      const heard = hear(bus);
      const seen: unknown[] = [];
      bus.register('counter').serve(
        'count',
        async function* (_, context) {
          context.publish('out.a', 'begun');
          yield 1;
          seen.push([...heard]);
          return 'done';
        },
        TWICE,
      );

      await over(bus.request('count', 0), { settle });
      await over(bus.drain(), { settle });

      expect([seen, heard]).toEqual([[[]], ['begun']]);
    });

    it('says it after it has returned: then nothing is held', async () => {
      const { bus, settle } = makeBus(env);
      const heard = hear(bus);
      const late = gate();
      bus.subscribe(
        'in',
        (_, context) => {
          void late.opened.then(() => context.publish('out.a', 'late'));
        },
        TWICE,
      );

      await over(bus.publish('in', 0).settled, { settle });
      late.open();
      await settle();

      expect(heard).toEqual(['late']);
    });

    it('is that of one message of a batch, and not of the one that fails', async () => {
      const { bus, settle } = makeBus(env);
      const heard = hear(bus);
      bus.subscribeBatch(
        'in',
        (messages, context) =>
          messages.map((message) => {
            context.for(message).publish('out.a', message.payload);
            return message.payload === 2 ? new Error('not this one') : undefined;
          }),
        { batch: { max: 3, waitMs: 1_000 }, outbox: true },
      );

      for (const n of [1, 2, 3]) bus.publish('in', n);
      await settle();

      expect(heard).toEqual([1, 3]);
      expect(bus.inspect()).toMatchObject({ scheduled: 0, deadLettered: 1 });
      expectBalanced(bus);
    });
  });

  describe('withdraws it when the handler', () => {
    const withdrawn = async (
      run: (bus: MessageBus, settle: () => Promise<void>) => Promise<unknown>,
    ): Promise<void> => {
      const { bus, settle } = makeBus(env);
      const heard = hear(bus);
      await run(bus, settle);
      await settle();
      expect(heard).toEqual([]);
      expect(bus.inspect()).toMatchObject({ scheduled: 0 });
      expectBalanced(bus);
    };
    const sayAndHang = (_: unknown, context: Context): Promise<never> => {
      context.publish('out.a', 'held');
      return hang();
    };

    it('is interrupted', () =>
      withdrawn(async (bus, settle) => {
        const handler = (message: Message, context: Context): unknown =>
          message.payload === 1 ? sayAndHang(message, context) : undefined;
        bus.subscribe('in', handler, { ...TWICE, busy: 'interrupt' });
        bus.publish('in', 1);
        await settle();
        bus.publish('in', 2);
      }));

    it('fails after its subscription has ended', () =>
      withdrawn(async (bus, settle) => {
        const failed = gate();
        const handler = async (_: unknown, context: Context): Promise<never> => {
          context.publish('out.a', 'held');
          await failed.opened;
          throw new Error('no');
        };
        const subscription = bus.subscribe('in', handler, TWICE);
        const receipt = bus.publish('in', 1);
        await settle();
        subscription.unsubscribe();
        failed.open();
        expect(await receipt.settled).toMatchObject({ cancelled: 1 });
      }));

    it('fails after it has put its answer off, or fails it before it returns', () =>
      withdrawn(async (bus, settle) => {
        const desk = bus.register('desk');
        desk.serve(
          'throw',
          (_, context) => {
            context.publish('out.a', 'held');
            context.defer();
            throw new Error('after all');
          },
          { outbox: true },
        );
        desk.serve(
          'fail',
          (_, context) => {
            context.publish('out.a', 'held');
            const later = context.defer();
            later.fail(new Error('at once'));
            return later;
          },
          { outbox: true },
        );
        await expect(over(bus.request('throw', 0), { settle })).rejects.toThrow('after all');
        await expect(over(bus.request('fail', 0), { settle })).rejects.toThrow('at once');
      }));

    it('is a generator that breaks off', () =>
      withdrawn(async (bus, settle) => {
        bus.register('counter').serve(
          'count',
          async function* (_, context) {
            context.publish('out.a', 'held');
            yield 1;
            throw new Error('broken');
          },
          TWICE,
        );
        await expect(over(bus.stream('count', 0).result, { settle })).rejects.toThrow('broken');
      }));

    it('says it after it has failed', () =>
      withdrawn(async (bus, settle) => {
        const late = gate();
        const receipts: Receipt[] = [];
        const handler = (_: unknown, context: Context): never => {
          void late.opened.then(() => receipts.push(context.publish('out.a', 'late')));
          throw new Error('no');
        };
        bus.subscribe('in', handler, { outbox: true });
        await over(bus.publish('in', 0).settled, { settle });
        late.open();
        await settle();
        expect(receipts.map(({ recipients }) => recipients)).toEqual([[]]);
        expect(await receipts[0]?.settled).toEqual(NOTHING);
      }));
  });

  describe('at the end', () => {
    // R:B7
    it('drains the attempt, and then what it has said', async () => {
      const { bus, settle } = makeBus(env);
      const heard = hear(bus);
      const done = gate();
      bus.subscribe(
        'in',
        async (_, context) => {
          context.publish('out.a', 1);
          await done.opened;
          context.publish('out.a', 2);
        },
        TWICE,
      );
      bus.publish('in', 0);
      await settle();

      const drained = bus.drain();
      done.open();

      expect(await over(drained, { settle })).toBe(true);
      expect(heard).toEqual([1, 2]);
    });

    it('closes after both, too', async () => {
      const { bus, settle } = makeBus(env);
      const heard = hear(bus);
      const done = gate();
      bus.subscribe(
        'in',
        async (_, context) => {
          context.publish('out.a', 1);
          await done.opened;
        },
        TWICE,
      );
      bus.publish('in', 0);
      await settle();

      const closed = bus.close();
      done.open();

      expect(await over(closed, { settle })).toMatchObject({ drained: true, unsent: 0 });
      expect(heard).toEqual([1]);
    });

    // R:A3
    it('keeps a letter of what a handler holds that has closed the bus itself', async () => {
      const { bus, settle } = makeBus(env);
      const heard = hear(bus);
      const receipts: Receipt[] = [];
      bus.subscribe(
        'in',
        async (_, context) => {
          receipts.push(context.publish('out.a', 'goodbye'));
          await context.close();
        },
        TWICE,
      );

      const settled = bus.publish('in', 0).settled;
      expect(await over(settled, { settle })).toMatchObject({ handled: 1 });

      expect(heard).toEqual([]);
      expect(await receipts[0]?.settled).toEqual(NOTHING);
      expect(bus.deadLetters.list()).toMatchObject([
        { reason: 'closed', refused: true, message: { payload: 'goodbye' } },
      ]);
      expect(bus.inspect()).toMatchObject({ status: 'closed', scheduled: 0 });
      expectBalanced(bus);
    });
  });

  it('holds what is said on a handle, too, where that counts as said on the context', async () => {
    const { bus, settle } = makeBus(env, { ambientContext: true });
    const heard = hear(bus);
    const agent = bus.register('a');
    const late = gate();
    agent.subscribe(
      'in',
      (_, { attempt }) => {
        agent.publish('out.a', attempt);
        if (attempt === 1) void late.opened.then(() => agent.publish('out.a', 'late'));
        if (attempt === 1) throw new Error('not yet');
      },
      TWICE,
    );

    await over(bus.publish('in', 0).settled, { settle });
    late.open();
    await settle();

    expect(heard).toEqual([2]);
    expect(bus.inspect().scheduled).toBe(0);
  });

  it('is true or false', () => {
    const { bus } = makeBus(env);

    expect(() => bus.subscribe('in', () => {}, { outbox: 'yes' as never })).toThrow(
      /outbox must be true or false/,
    );
  });
});

describe('the outbox and time', () => {
  it('counts a delay from the call, and never lets out before the handler has succeeded', async () => {
    const t = createTestBus();
    const log: string[] = [];
    t.bus.subscribe('out.*', ({ topic }) => void log.push(`${topic} at ${t.clock.nowMs}`));
    const receipts: Receipt[] = [];
    const done = gate();
    t.bus.subscribe(
      'in',
      async (_, context) => {
        for (const delayMs of [50, 150, 300]) {
          receipts.push(context.publish(`out.${delayMs}`, 0, { delayMs }));
        }
        await done.opened;
      },
      TWICE,
    );

    t.bus.publish('in', 0);
    await t.clock.advance(100);
    expect(t.bus.inspect().scheduled).toBe(3);
    done.open();
    await t.settle();
    expect(t.bus.inspect().scheduled).toBe(2);
    expect(receipts[2]?.cancel()).toBe(true);
    await t.run();

    expect(log).toEqual(['out.50 at 100', 'out.150 at 150']);
    expect(t.bus.inspect().scheduled).toBe(0);
  });

  it('is said when it leaves: its time to live counts from there', async () => {
    const t = createTestBus();
    const agent = t.bus.register('a');
    const done = gate();
    t.bus.subscribe(
      'in',
      async (_, context) => {
        context.send('a', 'out', 0, { ttlMs: 50 });
        await done.opened;
      },
      TWICE,
    );

    const begun = t.bus.once('in');
    t.bus.publish('in', 0);
    await t.clock.advance(1_000);
    const { sentAt } = await begun;
    done.open();
    await t.settle();
    await t.clock.advance(49);

    const received = agent.receive();
    await t.settle();
    const message = await received;
    expect(message?.sentAt).toBe(sentAt + 1_000);
    expect(message?.expiresAt).toBe(sentAt + 1_050);
  });

  it('withdraws what a handler has said that hangs, and tells what it may have waited for', async () => {
    const t = createTestBus({ graceMs: 10 });
    const heard = hear(t.bus);
    t.bus.subscribe(
      'in',
      async (_, context) => {
        await context.publish('out.a', context.attempt).settled;
      },
      { timeoutMs: 100, outbox: true },
    );

    t.bus.publish('in', 0);
    await t.run();

    expect(heard).toEqual([]);
    expect(t.bus.deadLetters.list()).toMatchObject([
      {
        reason: 'handler-timeout',
        error: { message: expect.stringMatching(/may have waited for what its own outbox holds$/) },
      },
    ]);
    expectBalanced(t.bus);
  });

  it.each(['leave', 'close'] as const)('withdraws what outlives %s', async (how) => {
    const t = createTestBus({ graceMs: 10 });
    const heard = hear(t.bus);
    const agent = t.bus.register('a');
    const handler = (_: unknown, context: Context): Promise<never> => {
      context.publish('out.a', 'held');
      return hang();
    };
    agent.subscribe('in', handler, TWICE);

    t.bus.publish('in', 0);
    await t.settle();
    void (how === 'leave' ? agent.leave() : t.bus.close({ mode: 'abort' }));
    await t.run();

    expect(heard).toEqual([]);
    expect(t.bus.inspect()).toMatchObject({ scheduled: 0, abandoned: 1 });
    expectBalanced(t.bus);
  });

  it('says what a handler has said that ends well within its grace', async () => {
    const t = createTestBus({ graceMs: 10 });
    const heard = hear(t.bus);
    t.bus.subscribe(
      'in',
      async (_, context) => {
        context.publish('out.a', 'late, and well');
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      },
      { ...TWICE, timeoutMs: 100 },
    );

    t.bus.publish('in', 0);
    await t.run();

    expect(heard).toEqual(['late, and well']);
  });

  it('leaves a letter of a delayed message, too, whose recipient is full when it is due', async () => {
    const t = createTestBus();
    t.bus.register('a', { capacity: 1 });
    t.bus.send('a', 'x', 'late', { delayMs: 100 });
    t.bus.send('a', 'x', 'early');

    await t.clock.advance(100);

    expect(t.bus.deadLetters.list()).toMatchObject([
      { reason: 'overflow', refused: true, message: { payload: 'late' } },
    ]);
  });
});
