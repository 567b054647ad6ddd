import { describe, expect, it } from 'vitest';
import { RejectedError } from '../../src/index.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, gate, hang, outcomeOf } from './books.ts';

describe.each(['real', 'simulated'] as const)('requests, on the %s Env', (env) => {
  // F:C1 R:F2
  it.each([null, 0, '', false, undefined, { deep: [1] }])(
    'takes %j for an answer',
    async (answer) => {
      const { bus, settle } = makeBus(env);
      bus.register('a').serve('q', () => answer);
      bus.register('b').serve('async', async () => answer);

      const asked = [outcomeOf(bus.request('q', 1)), outcomeOf(bus.request('async', 1))];
      await settle();

      expect(asked.map((one) => one.now())).toEqual([{ value: answer }, { value: answer }]);
      expect(bus.inspect()).toMatchObject({ handled: 2, pendingRequests: 0 });
    },
  );

  // F:C6 R:F1
  it('fails at once when nobody serves, and a wildcard listener is nobody', async () => {
    const { bus, settle } = makeBus(env);
    bus.subscribe('**', () => 'no answer');
    bus.register('a').subscribe('q', () => 'no answer');

    const asked = outcomeOf(bus.request('q', 1));
    await settle();

    expect(asked.now()).toMatchObject({
      error: { code: 'TELLASK_NO_RESPONDER', message: 'Nobody serves q', retryable: true },
    });
    expect(bus.inspect()).toMatchObject({ admitted: 0, refused: 1, pendingRequests: 0 });
  });

  it('says whom it does not know, and whom it may have meant', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('searcher').serve('q', () => 1);

    const unknown = outcomeOf(bus.request('q', 1, { to: 'seacher' }));
    const unable = outcomeOf(bus.request('q', 1, { to: { capability: 'draw' } }));
    const other = outcomeOf(bus.request('p', 1, { to: 'searcher' }));
    await settle();

    expect(unknown.now()).toMatchObject({
      error: { code: 'TELLASK_UNKNOWN_RECIPIENT', didYouMean: 'searcher' },
    });
    expect(unable.now()).toMatchObject({
      error: { message: 'No agent with draw serves q' },
    });
    expect(other.now()).toMatchObject({ error: { message: 'searcher does not serve p' } });
    expect(bus.deadLetters.list()).toMatchObject([{ reason: 'unknown-recipient', refused: true }]);
  });

  // DESIGN "Who gets what"
  it('asks the one with the fewest outstanding deliveries, in rotation between equals', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const agent = bus.register(name);
      agent.serve('q', () => void log.push(name));
      agent.subscribe('busy', hang);
    }

    for (let n = 0; n < 6; n++) {
      void bus.request('q', n);
      await settle();
    }
    bus.send('b', 'busy', 1);
    await settle();
    for (let n = 0; n < 4; n++) {
      void bus.request('q', n);
      await settle();
    }

    expect(log.slice(0, 6).sort()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
    expect(new Set(log.slice(0, 3)).size).toBe(3);
    expect(log.slice(6)).not.toContain('b');
    expect(log.slice(6).sort()).toEqual(['a', 'a', 'c', 'c']);
  });

  it('asks only who has the name or the capability', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('q', () => 'a');
    bus.register('b', { capabilities: ['draw'] }).serve('q', () => 'b');

    const byName = outcomeOf(bus.request('q', 1, { to: 'a' }));
    const able = outcomeOf(bus.request('q', 1, { to: { capability: 'draw' } }));
    await settle();

    expect([byName.now(), able.now()]).toEqual([{ value: 'a' }, { value: 'b' }]);
  });

  // R:F2 F:C13
  it('rejects with the very error that the handler threw', async () => {
    const { bus, settle } = makeBus(env);
    const error = Object.assign(new Error('mine'), { code: 'MINE' });
    const agent = bus.register('a');
    agent.serve('throws', () => {
      throw error;
    });
    agent.serve('rejects', () => Promise.reject(error));
    agent.serve('odd', () => {
      throw 'a string';
    });
    agent.serve('refuses', () => {
      throw new RejectedError('no');
    });

    const topics = ['throws', 'rejects', 'odd', 'refuses'];
    const asked = topics.map((topic) => outcomeOf(bus.request(topic, 1)));
    await settle();

    const errors = asked.map((one) => (one.now() as { error: { code: string } }).error);
    expect(errors[0]).toBe(error);
    expect(errors[1]).toBe(error);
    expect(errors[2]).toMatchObject({ code: 'TELLASK_HANDLER_ERROR', cause: 'a string' });
    expect(errors[3]).toMatchObject({ code: 'TELLASK_REJECTED' });
    expect(bus.inspect()).toMatchObject({ deadLettered: 4 });
  });

  // F:C5
  it('rejects with the reason of its signal, and takes back what has not begun', async () => {
    const { bus, settle } = makeBus(env);
    let handled = 0;
    bus.register('a').serve('q', () => ++handled);
    const controller = new AbortController();

    const asked = outcomeOf(bus.request('q', 1, { signal: controller.signal }));
    controller.abort('changed my mind');
    await settle();

    expect(asked.now()).toEqual({ error: 'changed my mind' });
    expect(handled).toBe(0);
    expect(bus.inspect()).toMatchObject({ cancelled: 1, queued: 0, pendingRequests: 0 });
  });

  it('admits nothing when its signal has aborted before', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('q', () => 1);

    const asked = outcomeOf(bus.request('q', 1, { signal: AbortSignal.abort('before') }));
    await settle();

    expect(asked.now()).toEqual({ error: 'before' });
    expect(bus.inspect().admitted).toBe(0);
  });

  it('aborts the running handler, and what it asked in turn, when nobody waits any more', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const controller = new AbortController();
    bus.register('b').serve('inner', (_m, { signal }) => {
      signal.addEventListener('abort', () => log.push(`inner ${signal.reason}`));
      return hang();
    });
    bus.register('a').serve('outer', async (_m, context) => {
      await context.request('inner', 1).catch((reason) => log.push(`asked ${reason}`));
      throw new Error('gave up');
    });

    const asked = outcomeOf(bus.request('outer', 1, { signal: controller.signal }));
    await settle();
    controller.abort('enough');
    await settle();

    expect(asked.now()).toEqual({ error: 'enough' });
    expect(log.sort()).toEqual(['asked enough', 'inner enough']);
    expect(bus.inspect()).toMatchObject({ cancelled: 1, inFlight: 1 });
  });

  // F:C7
  it('sees a late answer, counts it and keeps it as a letter', async () => {
    const { bus, settle } = makeBus(env);
    const late = gate();
    const told: string[] = [];
    bus.events.on('late-reply', (message, recipient) => told.push(`${message.type} ${recipient}`));
    bus.register('a').serve('q', async () => {
      await late.opened;
      return 'at last';
    });
    const controller = new AbortController();
    const asked = outcomeOf(bus.request('q', 1, { signal: controller.signal }));
    await settle();

    controller.abort('gone');
    late.open();
    await settle();

    expect(asked.now()).toEqual({ error: 'gone' });
    expect(bus.inspect()).toMatchObject({ lateReplies: 1, handled: 1 });
    expect(bus.deadLetters.list()).toMatchObject([{ reason: 'late-reply', refused: true }]);
    expect(bus.deadLetters.list()[0]?.message.payload).toBe('at last');
    expect(told).toEqual(['reply $host']);
  });

  it('lets a handler answer before it returns, once', async () => {
    const { bus, settle } = makeBus(env);
    const replied: boolean[] = [];
    const ends = gate();
    bus.register('a').serve('q', async (_m, context) => {
      replied.push(context.reply('first'), context.reply('second'));
      await ends.opened;
      return 'third';
    });

    const asked = outcomeOf(bus.request('q', 1));
    await settle();

    expect(asked.now()).toEqual({ value: 'first' });
    expect(replied).toEqual([true, false]);
    ends.open();
    await settle();
    expect(bus.inspect()).toMatchObject({ duplicateReplies: 1, handled: 1, lateReplies: 0 });
  });

  it('still takes what the handler returns when its reply could not be taken', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('q', (_m, context) => {
      expect(() =>
        context.reply({
          get forbidden() {
            return 1;
          },
        }),
      ).toThrow(/accessor/);
      return 'returned';
    });

    const asked = outcomeOf(bus.request('q', 1));
    await settle();

    expect(asked.now()).toEqual({ value: 'returned' });
  });

  // R:E4
  it('lets only the context of the request answer it', async () => {
    const { bus, settle } = makeBus(env);
    const held = gate();
    let id = '';
    bus.register('a').serve('q', async (message) => {
      id = message.id;
      await held.opened;
      return 'true answer';
    });
    const mallory = bus.register('mallory');
    let replied: boolean | undefined;
    mallory.subscribe('other', (_m, context) => {
      replied = context.reply('forged');
    });
    const asked = outcomeOf(bus.request('q', 1));
    await settle();

    const forged = { type: 'reply', correlationId: id, headers: { 'in-reply-to': id } };
    bus.register('asker');
    mallory.send('asker', 'q', 'forged', forged);
    bus.publish('other', 1);
    await settle();
    expect(asked.now()).toBe('pending');
    held.open();
    await settle();

    expect(replied).toBe(false);
    expect(asked.now()).toEqual({ value: 'true answer' });
    expect(bus.inspect().foreignReplies).toBe(2);
    expectBalanced(bus);
  });

  it('answers a repeated idempotency key with the first answer', async () => {
    const { bus, settle } = makeBus(env);
    let calls = 0;
    const serve = async (): Promise<number> => {
      if (++calls === 1) throw new Error('the first fails');
      return calls;
    };
    bus.register('a').serve('q', serve, { idempotent: { windowMs: 1_000 } });
    const ask = async (key?: string): Promise<unknown> => {
      const options = key === undefined ? {} : { idempotencyKey: key };
      const asked = outcomeOf(bus.request('q', 1, options));
      await settle();
      return asked.now();
    };

    expect(await ask('k')).toMatchObject({ error: { message: 'the first fails' } });
    expect(await ask('k')).toEqual({ value: 2 });
    expect(await ask('k')).toEqual({ value: 2 });
    expect(await ask('other')).toEqual({ value: 3 });
    expect(await ask()).toEqual({ value: 4 });
  });
});
