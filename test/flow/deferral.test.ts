import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineContract, type Later, type MessageBus, RejectedError } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, gate, hang, outcomeOf } from './books.ts';

/** An agent that defers whatever it is asked, and the answers that it owes. */
function makeDesk(bus: MessageBus, name = 'desk') {
  const agent = bus.register(name);
  const owed: Later[] = [];
  agent.serve('approve', (_request, context) => {
    const later = context.defer();
    owed.push(later);
    return later;
  });
  const first = (): Later => owed[0] as Later;
  return { agent, owed, first };
}

describe.each(['real', 'simulated'] as const)('deferred answers, on the %s Env', (env) => {
  it('has one outcome when whoever hears that it is deferred answers it at once', async () => {
    const { bus, settle } = makeBus(env);
    const { owed } = makeDesk(bus);
    bus.events.on('deferred', () => void owed.at(-1)?.answer('at once'));
    let outcomes = 0;
    bus.events.on('handled', () => void outcomes++);

    const asked = outcomeOf(bus.request('approve', 0));
    await settle();

    expect(asked.now()).toEqual({ value: 'at once' });
    expect(outcomes).toBe(1);
    expect(bus.inspect()).toMatchObject({ handled: 1, deferred: 0 });
    expectBalanced(bus);
  });

  // R:F0
  it('answers later while the agent goes on', async () => {
    const { bus, settle } = makeBus(env);
    const { agent, owed } = makeDesk(bus);
    agent.serve('other', () => 'at once');

    const asked = [1, 2].map((n) => outcomeOf(bus.request('approve', n)));
    const other = outcomeOf(bus.request('other', 3));
    await settle();

    expect(other.now()).toEqual({ value: 'at once' });
    expect(agent.inspect()).toMatchObject({ status: 'idle', running: 0, queued: 0 });
    expect(bus.inspect()).toMatchObject({ deferred: 2, handled: 1, inFlight: 0 });

    expect(owed.map((later, n) => later.answer(`yes ${n}`))).toEqual([true, true]);
    await settle();

    expect(asked.map((one) => one.now())).toEqual([{ value: 'yes 0' }, { value: 'yes 1' }]);
    expect(bus.inspect()).toMatchObject({ deferred: 0, handled: 3, pendingRequests: 0 });
    expectBalanced(bus);
  });

  // R:F0
  it('calls the function once, after the handler has returned and its slot is free', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const agent = bus.register('desk');
    const opened = gate();
    agent.serve('approve', async (_request, context) => {
      const later = context.defer((given) => {
        log.push(`called, ${agent.inspect().running} running, the same: ${given === later}`);
        given.answer('yes');
      });
      await opened.opened;
      log.push('returned');
    });

    const asked = outcomeOf(bus.request('approve', 1));
    await settle();
    expect(log).toEqual([]);
    opened.open();
    await settle();

    expect(log).toEqual(['returned', 'called, 0 running, the same: true']);
    expect(asked.now()).toEqual({ value: 'yes' });
  });

  it.each(['throws', 'rejects'])('fails for good when the function %s', async (how) => {
    const { bus, settle } = makeBus(env);
    const error = new Error('no desk');
    const fail = (): unknown => {
      if (how === 'throws') throw error;
      return Promise.reject(error);
    };
    bus.register('desk').serve('approve', (_request, context) => context.defer(fail), {
      retry: { maxAttempts: 3, baseMs: 1 },
    });

    const asked = outcomeOf(bus.request('approve', 1));
    await settle();

    expect(asked.now()).toEqual({ error });
    expect(bus.deadLetters.list()).toMatchObject([{ reason: 'handler-error', attempts: 1 }]);
    expect(bus.inspect()).toMatchObject({ deadLettered: 1, deferred: 0, retryWait: 0 });
  });

  it('reports what the function throws once its request is answered', async () => {
    const faults: unknown[] = [];
    const { bus, settle } = makeBus(env, { onFault: (_error, where) => faults.push(where) });
    bus.register('desk').serve('approve', (_request, context) =>
      context.defer((later) => {
        later.answer('yes');
        throw new Error('too late');
      }),
    );

    const asked = outcomeOf(bus.request('approve', 1));
    await settle();

    expect(asked.now()).toEqual({ value: 'yes' });
    expect(faults).toEqual(['defer of desk']);
    expect(bus.inspect()).toMatchObject({ handled: 1, deadLettered: 0, faults: 1 });
  });

  // R:J1
  it.each([
    { error: new Error('no'), reason: 'handler-error', code: undefined },
    { error: new RejectedError('never'), reason: 'rejected', code: 'TELLASK_REJECTED' },
    { error: 'a string', reason: 'handler-error', code: 'TELLASK_HANDLER_ERROR' },
    { error: undefined, reason: 'handler-error', code: 'TELLASK_HANDLER_ERROR' },
  ])(
    'rejects the asker with what fail is given: $reason, $code',
    async ({ error, reason, code }) => {
      const { bus, settle } = makeBus(env);
      const { first } = makeDesk(bus);

      const asked = outcomeOf(bus.request('approve', 1));
      await settle();
      const changed = [first().fail(error), first().fail(error)];
      await settle();

      expect(changed).toEqual([true, false]);
      if (code === undefined) expect(asked.now()).toEqual({ error });
      else expect(asked.now()).toMatchObject({ error: { code } });
      expect(bus.deadLetters.list()).toMatchObject([{ reason }]);
    },
  );

  it('answers once: a second answer is a duplicate, one after a failure is late', async () => {
    const { bus, settle } = makeBus(env);
    const { owed } = makeDesk(bus);

    const asked = [1, 2].map((n) => outcomeOf(bus.request('approve', n)));
    await settle();
    const [one, two] = owed as [Later, Later];
    const changed = [one.answer('yes'), one.answer('no'), one.fail(new Error('no'))];
    changed.push(two.fail('no'), two.answer('yes'));
    await settle();

    expect(changed).toEqual([true, false, false, true, false]);
    expect(asked[0]?.now()).toEqual({ value: 'yes' });
    expect(bus.inspect()).toMatchObject({ duplicateReplies: 1, lateReplies: 1 });
    expect(bus.inspect()).toMatchObject({ handled: 1, deadLettered: 1 });
  });

  it('takes an answer before the handler has returned', async () => {
    const { bus, settle } = makeBus(env);
    const { opened, open } = gate();
    bus.register('desk').serve('approve', async (_request, context) => {
      context.defer().answer('at once');
      await opened;
    });

    const asked = outcomeOf(bus.request('approve', 1));
    await settle();
    expect(asked.now()).toEqual({ value: 'at once' });
    expect(bus.inspect()).toMatchObject({ inFlight: 1, deferred: 0 });
    open();
    await settle();

    expect(bus.inspect()).toMatchObject({ handled: 1, duplicateReplies: 0, lateReplies: 0 });
  });

  it('fails only when the handler has returned, which may still throw something else', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('desk').serve('approve', (request, context) => {
      context.defer().fail(new Error('deferred'));
      if (request.payload === 'throw') throw new Error('thrown');
    });

    const asked = ['throw', 'return'].map((what) => outcomeOf(bus.request('approve', what)));
    await settle();

    expect(asked.map((one) => one.now())).toMatchObject([
      { error: { message: 'thrown' } },
      { error: { message: 'deferred' } },
    ]);
    expect(bus.inspect()).toMatchObject({ deadLettered: 2, deferred: 0 });
  });

  it('is void when the handler throws: a retry may defer anew', async () => {
    const t = makeBus(env);
    const owed: Later[] = [];
    t.bus.register('desk').serve(
      'approve',
      (_request, context) => {
        owed.push(context.defer());
        if (context.attempt === 1) throw new Error('again');
      },
      { retry: { maxAttempts: 2, baseMs: 0, jitter: 'none' } },
    );

    const asked = outcomeOf(t.bus.request('approve', 1));
    await whenOwed(t, owed, 2);
    const [one, two] = owed as [Later, Later];
    expect(one.signal.aborted).toBe(true);
    expect([one.answer('void'), two.answer('yes')]).toEqual([false, true]);
    await t.settle();

    expect(asked.now()).toEqual({ value: 'yes' });
    expect(t.bus.inspect()).toMatchObject({ handled: 1, lateReplies: 1, retries: 1 });
  });

  it('lets context.reply answer what was deferred', async () => {
    const { bus, settle } = makeBus(env);
    const replied: boolean[] = [];
    bus
      .register('desk')
      .serve('approve', (_request, context) =>
        context.defer(() => replied.push(context.reply('yes'), context.reply('no'))),
      );

    const asked = outcomeOf(bus.request('approve', 1));
    await settle();

    expect(asked.now()).toEqual({ value: 'yes' });
    expect(replied).toEqual([true, false]);
    expect(bus.inspect()).toMatchObject({ handled: 1, duplicateReplies: 1 });
  });

  it('checks the answer: what the contract does not allow leaves the request open', async () => {
    const output = z.object({ approved: z.boolean().default(true) });
    const contract = defineContract({ requests: { approve: { input: z.number(), output } } });
    const { bus, settle } = makeBus(env, { contract });
    const owed: Later[] = [];
    bus.register('desk').serve('approve', (_request, context) => {
      const later = context.defer();
      owed.push(later);
      return later;
    });

    const asked = outcomeOf(bus.request('approve', 1));
    await settle();
    const [later] = owed as [Later];

    expect(codeOf(() => later.answer('maybe'))).toBe('TELLASK_VALIDATION');
    expect(bus.inspect()).toMatchObject({ deferred: 1 });
    expect(later.answer({})).toBe(true);
    await settle();
    expect(asked.now()).toEqual({ value: { approved: true } });
  });

  it('ends once when the schema of the answer ends it', async () => {
    const owed: Later[] = [];
    const output = z.unknown().refine(() => owed[0]?.fail(new Error('by the schema')) ?? true);
    const contract = defineContract({ requests: { approve: { input: z.number(), output } } });
    const { bus, settle } = makeBus(env, { contract });
    bus.register('desk').serve('approve', (_request, context) => {
      const later = context.defer();
      owed.push(later);
      return later;
    });

    const asked = outcomeOf(bus.request('approve', 1));
    await settle();
    const changed = owed[0]?.answer('yes');
    await settle();

    expect(changed).toBe(false);
    expect(asked.now()).toMatchObject({ error: { message: 'by the schema' } });
    expect(bus.inspect()).toMatchObject({ handled: 0, deadLettered: 1, lateReplies: 1 });
  });

  // R:F0
  it('refuses to defer what cannot be deferred', async () => {
    const { bus, settle } = makeBus(env);
    const messages: string[] = [];
    const agent = bus.register('desk');
    const note = (call: () => unknown): void => {
      try {
        call();
      } catch (error) {
        messages.push((error as Error).message);
      }
    };
    agent.subscribe('event', (_message, context) => note(() => context.defer()));
    agent.serve('twice', (_request, context) => {
      const later = context.defer();
      note(() => context.defer());
      later.answer(1);
    });
    agent.serve('replied', (_request, context) => {
      context.reply(1);
      note(() => context.defer());
    });
    agent.serve('endless', (_request, context) => note(() => context.defer()));
    agent.serve('odd', (_request, context) => {
      note(() => context.defer('soon' as never));
      note(() => context.defer(undefined, 'soon' as never));
      note(() => context.defer(undefined, { timeoutMS: 1 } as never));
      note(() => context.defer(undefined, { timeoutMs: -1 }));
    });

    bus.publish('event', 1);
    for (const topic of ['twice', 'replied', 'odd']) void bus.request(topic, 1);
    void bus.request('endless', 1, { timeoutMs: Infinity });
    await settle();

    expect(messages).toEqual([
      'Only the answer to a request can be deferred, but nobody asked event',
      'twice is deferred already',
      'replied cannot be deferred: it is answered already',
      'What defer is given must be a function, but it is "soon"',
      'The options of defer must be an object, but it is "soon"',
      'defer has no option timeoutMS; it has timeoutMs',
      'timeoutMs must be 0 or more milliseconds, but it is -1',
      'endless was asked without a limit of time, so defer needs one: { timeoutMs }',
    ]);
    expect(bus.inspect()).toMatchObject({ handled: 5, deferred: 0 });
  });

  it('cannot be begun once the handler has returned', async () => {
    const { bus, settle } = makeBus(env);
    let late: (() => unknown) | undefined;
    bus.register('desk').serve('q', (_request, context) => {
      late = () => context.defer();
      return 1;
    });

    await Promise.all([bus.request('q', 1), settle()]);

    expect(codeOf(late as () => unknown)).toBe('TELLASK_FENCED');
  });

  it('tells the asker nothing more once it is over', async () => {
    const { bus, settle } = makeBus(env);
    const { first } = makeDesk(bus);
    const controller = new AbortController();

    const asked = outcomeOf(bus.request('approve', 1, { signal: controller.signal }));
    await settle();
    const later = first();
    const heard: unknown[] = [];
    later.signal.addEventListener('abort', () => heard.push(later.answer('from the listener')));
    controller.abort('changed my mind');
    await settle();

    expect(asked.now()).toEqual({ error: 'changed my mind' });
    expect(later.signal.reason).toBe('changed my mind');
    expect(heard).toEqual([false]);
    expect([later.answer('yes'), later.fail('no')]).toEqual([false, false]);
    expect(() => later.progress(1)).not.toThrow();
    expect(bus.inspect()).toMatchObject({ cancelled: 1, handled: 0, deferred: 0, lateReplies: 2 });
    expectBalanced(bus);
  });

  // R:F0 R:J1
  it('rejects the asker at once when the agent leaves', async () => {
    const { bus, settle } = makeBus(env);
    const { agent, first } = makeDesk(bus);

    const asked = outcomeOf(bus.request('approve', 1));
    await settle();
    const left = agent.leave();
    bus.register('desk');
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_RESPONDER_LEFT' } });
    expect(first().signal.reason).toMatchObject({ code: 'TELLASK_REVOKED' });
    expect(first().answer('yes')).toBe(false);
    expect(bus.deadLetters.list({ reason: 'recipient-stopped' })).toHaveLength(1);
    await left;
    expectBalanced(bus);
  });

  it('ends what a handler defers while its agent leaves', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('desk');
    agent.serve('a', async (_request, context) => {
      void context.close();
      return context.defer();
    });
    const asked = outcomeOf(bus.request('a', 1));
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_REVOKED' } });
    expect(bus.inspect()).toMatchObject({ deferred: 0, inFlight: 0 });
    expectBalanced(bus);
  });

  it('goes on when its subscription ends or its handle is revoked', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('desk');
    const owed: Later[] = [];
    let say: (() => unknown) | undefined;
    const served = agent.serve('approve', (_request, context) => {
      say = () => context.publish('news', 1);
      owed.push(context.defer());
    });

    const asked = [1, 2].map((n) => outcomeOf(bus.request('approve', n)));
    await settle();
    served.unsubscribe();
    const answered = [owed[0]?.answer('one')];
    agent.revoke();
    answered.push(owed[1]?.answer('two'));
    await settle();

    expect(answered).toEqual([true, true]);
    expect(asked.map((one) => one.now())).toEqual([{ value: 'one' }, { value: 'two' }]);
    expect(codeOf(say as () => unknown)).toBe('TELLASK_REVOKED');
  });

  // R:A3
  it('keeps a drain waiting, in which its context still speaks', async () => {
    const { bus, settle } = makeBus(env);
    const said: unknown[] = [];
    const { opened, open } = gate();
    bus.register('listener').subscribe('news', (message) => void said.push(message.correlationId));
    bus.register('desk').serve('approve', (request, context) =>
      context.defer(async (later) => {
        await opened;
        context.publish('news', 1);
        later.answer(request.correlationId);
      }),
    );

    const asked = outcomeOf(bus.request('approve', 1));
    await settle();
    const drained = outcomeOf(bus.drain());
    await settle();
    expect(drained.now()).toBe('pending');
    open();
    await settle();

    expect(drained.now()).toEqual({ value: true });
    expect(asked.now()).toEqual({ value: said[0] });
    expect(bus.inspect().status).toBe('open');
  });

  // R:A3 R:J1
  it('is cancelled when the bus closes, and named among the abandoned', async () => {
    const { bus, settle } = makeBus(env);
    const { first } = makeDesk(bus);
    const asked = outcomeOf(bus.request('approve', 1));
    await settle();

    const closed = bus.close({ mode: 'abort' });
    await settle();

    const { cancelled, drained, abandoned } = await closed;
    expect({ cancelled, drained }).toEqual({ cancelled: 0, drained: false });
    expect(abandoned).toMatchObject([{ topic: 'approve', agent: 'desk', messageId: first().id }]);
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_CLOSED' } });
    expect(first().signal.reason).toMatchObject({ code: 'TELLASK_CLOSED' });
    expect([first().answer('yes'), first().fail('no')]).toEqual([false, false]);
    expect(bus.deadLetters.list({ reason: 'closed' })).toHaveLength(1);
    expect(bus.inspect()).toMatchObject({ cancelled: 1, deferred: 0, pendingRequests: 0 });
    expectBalanced(bus);
  });

  it('is waited for when the bus closes', async () => {
    const { bus, settle } = makeBus(env);
    const { first } = makeDesk(bus);
    const asked = outcomeOf(bus.request('approve', 1));
    await settle();

    const closed = outcomeOf(bus.close());
    await settle();
    expect(closed.now()).toBe('pending');
    first().answer('yes');
    await settle();

    expect(closed.now()).toMatchObject({ value: { drained: true, abandoned: [] } });
    expect(asked.now()).toEqual({ value: 'yes' });
  });

  // R:B1
  it('leaves the mailbox: neither its capacity nor its key is held', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('desk', { capacity: 1 });
    let owed = 0;
    agent.serve(
      'approve',
      (_request, context) => {
        owed++;
        context.defer();
      },
      { key: () => 'the same', retry: { maxAttempts: 2 } },
    );

    for (let n = 0; n < 3; n++) {
      void bus.request('approve', n).catch(() => {});
      await settle();
    }

    expect(owed).toBe(3);
    expect(bus.inspect()).toMatchObject({ deferred: 3, refused: 0 });
    expectBalanced(bus);
    await bus.close({ mode: 'abort' });
    expectBalanced(bus);
  });

  it('calls off what its context still asks when the asker goes', async () => {
    const { bus, settle } = makeBus(env);
    const inner: { now(): unknown }[] = [];
    const controller = new AbortController();
    bus.register('expert').serve('expertise', hang);
    bus.register('desk').serve('approve', (_request, context) =>
      context.defer(() => {
        inner.push(outcomeOf(context.request('expertise', 1)));
      }),
    );

    void bus.request('approve', 1, { signal: controller.signal }).catch(() => {});
    await settle();
    controller.abort('enough');
    await settle();

    expect(inner.map((one) => one.now())).toEqual([{ error: 'enough' }]);
    expect(bus.inspect()).toMatchObject({ pendingRequests: 0, deferred: 0, cancelled: 1 });
  });

  it('does not call the function for an asker that has gone', async () => {
    const { bus, settle } = makeBus(env);
    const controller = new AbortController();
    let called = false;
    bus.register('desk').serve('approve', (_request, context) => {
      controller.abort('gone');
      return context.defer(() => {
        called = true;
      });
    });

    const asked = outcomeOf(bus.request('approve', 1, { signal: controller.signal }));
    await settle();

    expect(called).toBe(false);
    expect(asked.now()).toEqual({ error: 'gone' });
    expect(bus.inspect()).toMatchObject({ cancelled: 1, deferred: 0 });
  });

  it('gives a repeated request with the same key the same deferred answer', async () => {
    const { bus, settle } = makeBus(env);
    const owed: Later[] = [];
    bus.register('desk').serve(
      'approve',
      async (_request, context) => {
        owed.push(context.defer());
      },
      { idempotent: { windowMs: 60_000 } },
    );
    const ask = () => outcomeOf(bus.request('approve', 1, { idempotencyKey: 'k' }));

    const early = [ask(), ask()];
    await settle();
    expect(owed).toHaveLength(1);
    expect(bus.inspect()).toMatchObject({ deferred: 2 });
    owed[0]?.answer('yes');
    await settle();
    const late = ask();
    await settle();

    const all = [...early, late].map((one) => one.now());
    expect(all).toEqual([{ value: 'yes' }, { value: 'yes' }, { value: 'yes' }]);
    expect(bus.inspect()).toMatchObject({ handled: 3, deferred: 0 });
  });

  it('forgets the key of a deferred answer that failed', async () => {
    const { bus, settle } = makeBus(env);
    const owed: Later[] = [];
    bus.register('desk').serve('approve', (_request, context) => void owed.push(context.defer()), {
      idempotent: { windowMs: 60_000 },
    });
    const ask = () => outcomeOf(bus.request('approve', 1, { idempotencyKey: 'k' }));

    const failing = [ask(), ask()];
    await settle();
    owed[0]?.fail(new Error('no'));
    await settle();
    const again = ask();
    await settle();
    owed[1]?.answer('yes');
    await settle();

    expect(failing.map((one) => one.now())).toMatchObject([
      { error: { message: 'no' } },
      { error: { message: 'no' } },
    ]);
    expect(again.now()).toEqual({ value: 'yes' });
  });

  // R:F5
  it('is the result of a stream, after the chunks that came before', async () => {
    const { bus, settle } = makeBus(env);
    const owed: Later[] = [];
    bus.register('desk').serve('approve', async function* (_request, context) {
      yield 'read';
      owed.push(context.defer(undefined, { timeoutMs: 10_000 }));
      yield 'put off';
      return 'no answer';
    });

    const stream = bus.stream('approve', 1);
    const steps = [];
    for (let n = 0; n < 2; n++) steps.push((await Promise.all([stream.next(), settle()]))[0]);
    const end = stream.next();
    await settle();
    expect(bus.inspect()).toMatchObject({ deferred: 1, inFlight: 0 });
    owed[0]?.answer('approved');
    const [last] = await Promise.all([end, settle()]);

    expect(steps.map(({ value }) => value)).toEqual(['read', 'put off']);
    expect(last).toEqual({ done: true, value: 'approved' });
    expect(bus.inspect()).toMatchObject({ handled: 1, deferred: 0, pendingRequests: 0 });
  });

  it('tells the asker how far it is', async () => {
    const { bus, settle } = makeBus(env);
    const { first } = makeDesk(bus);
    const heard: unknown[] = [];
    const onProgress = (update: unknown): unknown => heard.push(update);
    void bus.request('approve', 1, { onProgress }).catch(() => {});
    await settle();

    first().progress('half');
    first().answer('yes');
    first().progress('too late');
    await settle();

    expect(heard).toEqual(['half']);
  });

  it('is waited for through another that is deferred itself', async () => {
    const { bus, settle } = makeBus(env);
    const { first } = makeDesk(bus, 'a');
    bus.register('b').serve('ask.a', (_request, context) =>
      context.defer((later) => {
        void context.request('approve', 1).then((value) => later.answer(value));
      }),
    );
    bus.register('c').serve('ask.b', (_request, context) => context.request('ask.a', 1));

    const asked = outcomeOf(bus.request('ask.b', 1));
    await settle();
    first().answer('through all');
    await settle();

    expect(asked.now()).toEqual({ value: 'through all' });
  });

  it('tells who watches that the answer is owed', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.events.on('deferred', ({ message }) => log.push(`deferred ${message.topic}`));
    bus.events.on('handled', ({ message }) => log.push(`handled ${message.topic}`));
    const { first } = makeDesk(bus);

    void bus.request('approve', 1);
    await settle();
    first().answer('yes');
    await settle();

    expect(log).toEqual(['deferred approve', 'handled approve']);
  });
});

describe('an asynchronous handler that put its answer off', () => {
  it('has no grace left to run out when the answer is called off', async () => {
    const t = createTestBus({ graceMs: 5 });
    t.bus.register('desk').serve('approve', async (_request, context) => {
      context.defer(undefined, { timeoutMs: 500 });
    });
    const controller = new AbortController();
    const options = { timeoutMs: Infinity, signal: controller.signal };
    void t.bus.request('approve', 1, options).catch(() => {});
    await t.settle();

    controller.abort('enough');
    await t.clock.advance(1_000);

    expect(t.bus.inspect()).toMatchObject({ cancelled: 1, deadLettered: 0, abandoned: 0 });
    expect(t.bus.deadLetters.list()).toEqual([]);
    expect(await t.bus.drain({ timeoutMs: 0 })).toBe(true);
  });
});

describe('the deadline of a deferred answer', () => {
  // R:F0 R:J1
  it('is the asker’s: then the delivery expires and the signal aborts', async () => {
    const t = createTestBus();
    const { first } = makeDesk(t.bus);
    const asked = outcomeOf(t.bus.request('approve', 1, { timeoutMs: 1_000 }));
    await t.settle();
    const later = first();
    const asAt = t.bus.inspect();

    await t.clock.advance(999);
    expect(asked.now()).toBe('pending');
    await t.clock.advance(1);

    expect(asAt).toMatchObject({ deferred: 1 });
    expect(asked.now()).toMatchObject({
      error: {
        code: 'TELLASK_TIMEOUT',
        message: 'desk did not answer approve within 1000 ms: deferred by desk 1.0 s ago',
      },
    });
    expect(later.signal.aborted).toBe(true);
    expect(later.answer('yes')).toBe(false);
    expect(t.bus.deadLetters.list()).toMatchObject([
      { reason: 'expired' },
      { reason: 'late-reply' },
    ]);
    expect(t.bus.inspect()).toMatchObject({ expired: 1, deferred: 0, lateReplies: 1 });
  });

  it.each([
    { asker: 1_000, own: 400, ends: 400 },
    { asker: 400, own: 1_000, ends: 400 },
    { asker: Infinity, own: 400, ends: 400 },
    { asker: 400, own: Infinity, ends: 400 },
    { asker: 1_000, own: 0, ends: 0 },
  ])('is the nearer of $asker and $own ms', async ({ asker, own, ends }) => {
    const t = createTestBus();
    const owed: Later[] = [];
    t.bus.register('desk').serve('approve', (_request, context) => {
      const later = context.defer(undefined, { timeoutMs: own });
      owed.push(later);
      return later;
    });

    const asked = outcomeOf(t.bus.request('approve', 1, { timeoutMs: asker }));
    await t.clock.advance(ends === 0 ? 0 : ends - 1);
    if (ends > 0) expect(asked.now()).toBe('pending');
    await t.clock.advance(1);

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_TIMEOUT', timeoutMs: ends } });
    expect(owed[0]?.signal.aborted).toBe(true);
    expect(t.bus.inspect()).toMatchObject({ expired: 1, deferred: 0, pendingRequests: 0 });
    await t.bus.close();
  });

  it('is told in epoch milliseconds', async () => {
    const t = createTestBus();
    const { owed } = makeDesk(t.bus);
    const endless = t.bus.register('endless');
    endless.serve('q', (_request, context) => {
      const later = context.defer(undefined, { timeoutMs: Infinity });
      owed.push(later);
      return later;
    });
    const now = t.bus.publish('now', 1);
    let at = 0;
    t.bus.tap('approve', (message) => {
      at = message.sentAt;
    });

    void t.bus.request('approve', 1, { timeoutMs: 1_000 }).catch(() => {});
    await t.settle();
    void t.bus.request('q', 1, { timeoutMs: Infinity }).catch(() => {});
    await t.settle();

    expect(now.id).toBeDefined();
    expect(owed.map(({ deadlineAt }) => deadlineAt)).toEqual([at + 1_000, undefined]);
    expect(JSON.parse(JSON.stringify(owed[0]))).toEqual({
      id: owed[0]?.id,
      deadlineAt: at + 1_000,
    });
    await t.bus.close({ mode: 'abort' });
  });

  it('bounds a redriven request, for whom nobody waits', async () => {
    const t = createTestBus({ handlerTimeoutMs: 2_000 });
    let broken = true;
    const owed: Later[] = [];
    t.bus.register('desk').serve('approve', (_request, context) => {
      if (broken) throw new Error('broken');
      owed.push(context.defer());
    });
    void t.bus.request('approve', 1).catch(() => {});
    await t.settle();
    broken = false;

    await t.bus.deadLetters.redrive();
    await t.settle();
    expect(t.bus.inspect()).toMatchObject({ deferred: 1 });
    await t.clock.advance(2_000);

    expect(owed[0]?.signal.aborted).toBe(true);
    expect(t.bus.inspect()).toMatchObject({ deferred: 0, expired: 1 });
  });

  it('has passed when a handler that was told to stop defers all the same', async () => {
    const t = createTestBus();
    const stopped = (signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    t.bus.register('slow').serve('slow', async (_request, context) => {
      await stopped(context.signal);
      return context.defer();
    });
    t.bus.register('limited').serve(
      'limited',
      async (_request, context) => {
        await stopped(context.signal);
        return context.defer();
      },
      { timeoutMs: 10 },
    );

    const asked = ['slow', 'limited'].map((topic) =>
      outcomeOf(t.bus.request(topic, 1, { timeoutMs: 100 })),
    );
    await t.clock.advance(200);

    expect(asked.map((one) => one.now())).toMatchObject([
      { error: { code: 'TELLASK_TIMEOUT' } },
      { error: { code: 'TELLASK_HANDLER_TIMEOUT' } },
    ]);
    expect(t.bus.inspect()).toMatchObject({ deferred: 0, inFlight: 0 });
    expectBalanced(t.bus);
  });
});

/** Waits until so many answers are owed, a retry on real time included. */
async function whenOwed(
  { settle }: { settle(): Promise<void> },
  owed: readonly Later[],
  count: number,
): Promise<void> {
  for (let n = 0; n < 200 && owed.length < count; n++) await settle();
}
