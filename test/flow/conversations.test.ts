import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, gate, hang, outcomeOf } from './books.ts';

describe.each(['real', 'simulated'] as const)('conversations, on the %s Env', (env) => {
  // F:C14
  it('are named by the host, whatever is said', async () => {
    const { bus, settle } = makeBus(env);
    const heard: string[] = [];
    const note = (message: Message) =>
      void heard.push(`${message.topic} ${message.correlationId} ${message.causationId ?? '-'}`);
    const agent = bus.register('a');
    agent.subscribe('news', note, { echo: true });
    agent.subscribe('task', note);
    agent.serve('q', note);
    const talk = { correlationId: 'talk' };

    for (const voice of [bus, bus.register('b')]) {
      voice.publish('news', 1, talk);
      voice.send('a', 'task', 1, talk);
      await Promise.all([voice.request('q', 1, talk), settle()]);
    }

    expect(heard).toEqual(
      Array.from({ length: 2 }, () => ['news talk -', 'task talk -', 'q talk -']).flat(),
    );
  });

  it('print what is open', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('q', hang);
    void bus.request('q', 1, { correlationId: 'talk' }).catch(() => {});
    await settle();

    expect(inspect(bus.conversation('talk'))).toContain("status: 'running'");
  });

  it('go on by themselves in a context, which may name another', async () => {
    const { bus, settle } = makeBus(env);
    const heard: Message[] = [];
    bus.register('b').subscribe('note.*', (message) => void heard.push(message));
    bus.register('a').subscribe('begin', (_message, context) => {
      context.publish('note.same', 1);
      context.publish('note.other', 1, { correlationId: 'other' });
    });

    const { id } = bus.publish('begin', 1, { correlationId: 'talk' });
    await settle();

    expect(heard.map((one) => [one.correlationId, one.causationId])).toEqual([
      ['talk', id],
      ['other', id],
    ]);
  });

  it('show what is open of them, wherever it is, and nothing of others', async () => {
    const { bus, settle } = makeBus(env);
    const said = { correlationId: 'talk' };
    const busy = bus.register('busy');
    busy.subscribe('work', hang);
    bus.register('keyed', { concurrency: 2 }).subscribe('keyed', hang, { key: () => 1 });
    bus.register('reader');
    bus.register('full', { capacity: 2, overflow: 'wait' }).pause();
    const failing = bus.register('failing');
    failing.subscribe('fail', () => Promise.reject(new Error('no')), {
      retry: { maxAttempts: 2, baseMs: 5_000 },
    });
    bus.register('desk').serve('approve', (_request, context) => context.defer());

    for (const options of [said, { correlationId: 'other' }]) {
      bus.publish('work', 1, options);
      bus.publish('keyed', 1, options);
      bus.publish('keyed', 1, options);
      bus.send('reader', 'mail', 1, options);
      bus.send('full', 'mail', 1, options);
      bus.publish('fail', 1, options);
      bus.publish('later', 1, { ...options, delayMs: 9_000 });
      void bus.request('approve', 1, options).catch(() => {});
    }
    bus.send('full', 'mail', 2, { ...said, signal: new AbortController().signal });
    bus.publish('work', 2, said);
    await settle();
    const talk = bus.conversation('talk');

    expect(
      talk.deliveries.map(({ topic, recipient, status }) => [topic, recipient, status]),
    ).toEqual([
      ['work', 'busy', 'running'],
      ['keyed', 'keyed', 'running'],
      ['keyed', 'keyed', 'queued'],
      ['mail', 'reader', 'queued'],
      ['mail', 'full', 'queued'],
      ['fail', 'failing', 'retrying'],
      ['approve', 'desk', 'deferred'],
      ['mail', 'full', 'waiting'],
      ['work', 'busy', 'queued'],
    ]);
    expect(talk.requests.map(({ topic, status }) => [topic, status])).toEqual([
      ['approve', 'deferred'],
    ]);
    expect(talk.scheduled.map(({ topic }) => topic)).toEqual(['later']);
    expect(JSON.parse(JSON.stringify(talk))).toMatchObject({ id: 'talk', requests: [{}] });
  });

  it('are ended everywhere at once, and no other with them', async () => {
    const { bus, settle } = makeBus(env, { graceMs: 0 });
    const said = { correlationId: 'talk' };
    const busy = bus.register('busy');
    const done: unknown[] = [];
    busy.subscribe('work', async (message, context) => {
      if (message.correlationId === 'other') return void done.push(message.payload);
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      throw context.signal.reason;
    });
    bus.register('full', { capacity: 1, overflow: 'wait' }).pause();
    bus.register('desk').serve('approve', (_request, context) => context.defer());
    const receipts = [bus.publish('work', 1, said), bus.publish('work', 2, said)];
    receipts.push(bus.send('full', 'mail', 1, said), bus.send('full', 'mail', 2, said));
    const accepted = outcomeOf((receipts[3] as (typeof receipts)[0]).accepted);
    bus.publish('work', 'other', { correlationId: 'other' });
    const later = bus.publish('later', 1, { ...said, delayMs: 60_000 });
    const asked = outcomeOf(bus.request('approve', 1, said));
    await settle();

    const ended = bus.conversation('talk').cancel('enough');
    await settle();

    expect(ended).toBe(6);
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_CANCELLED', cause: 'enough' } });
    const settled = await Promise.all(receipts.map((receipt) => receipt.settled));
    expect(settled).toEqual(receipts.map(() => expect.objectContaining({ cancelled: 1 })));
    expect(accepted.now()).toMatchObject({ error: { code: 'TELLASK_CANCELLED' } });
    expect(await later.settled).toMatchObject({ handled: 0, cancelled: 0 });
    expect(done).toEqual(['other']);
    expect(bus.inspect()).toMatchObject({ cancelled: 5, handled: 1, scheduled: 0, deferred: 0 });
    expectBalanced(bus);
    expect(bus.conversation('talk').cancel()).toBe(0);
  });

  it('are ended down to what their handlers ask', async () => {
    const { bus, settle } = makeBus(env);
    const reasons: unknown[] = [];
    bus.register('c').serve('deep', async (_request, context) => {
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      reasons.push(context.signal.reason);
    });
    const inner: { now(): unknown }[] = [];
    bus.register('b').serve('q', async (_request, context) => {
      const deep = context.request('deep', 1);
      inner.push(outcomeOf(deep));
      return deep;
    });

    const asked = outcomeOf(bus.request('q', 1, { correlationId: 'talk' }));
    await settle();
    const ended = bus.conversation('talk').cancel(new Error('enough'));
    await settle();

    expect(ended).toBe(2);
    const error = { code: 'TELLASK_CANCELLED', cause: { message: 'enough' } };
    expect([asked.now(), inner[0]?.now()]).toMatchObject([{ error }, { error }]);
    expect(reasons).toMatchObject([{ message: 'enough' }]);
    expect(bus.inspect()).toMatchObject({ pendingRequests: 0, inFlight: 0 });
    expectBalanced(bus);
  });

  it('are ended with what was handed over, and who handed it over has not failed', async () => {
    const { bus, settle } = makeBus(env, { graceMs: 0 });
    const reasons: unknown[] = [];
    bus.register('clerk').serve('q', (_request, context) => context.forward('expert'));
    bus.register('expert').serve('q', async (_request, context) => {
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      reasons.push(context.signal.reason);
      throw context.signal.reason;
    });

    const asked = outcomeOf(bus.request('q', 1, { to: 'clerk', correlationId: 'talk' }));
    await settle();
    const ended = bus.conversation('talk').cancel('enough');
    await settle();

    expect(ended).toBe(2);
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_CANCELLED', cause: 'enough' } });
    expect(reasons).toEqual(['enough']);
    expect(bus.inspect()).toMatchObject({ cancelled: 2, deadLettered: 0, deferred: 0 });
    expectBalanced(bus);
  });

  it('tell why also when no reason is given', async () => {
    const { bus, settle } = makeBus(env);
    const reasons: unknown[] = [];
    const { opened, open } = gate();
    bus.register('a').subscribe('work', async (_message, context) => {
      await opened;
      reasons.push(context.signal.reason);
    });
    const { id } = bus.publish('work', 1);
    await settle();

    expect(bus.conversation(id).cancel()).toBe(1);
    open();
    await settle();

    expect(reasons).toMatchObject([{ code: 'TELLASK_CANCELLED' }]);
  });

  it('may be cancelled from inside', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    bus.register('a').subscribe('work', async (message, context) => {
      if (message.payload === 1) log.push(bus.conversation(message.correlationId).cancel('me too'));
      await undefined;
      log.push(`${message.payload} ${context.signal.reason}`);
    });

    for (const n of [1, 2]) bus.publish('work', n, { correlationId: 'talk' });
    await settle();

    expect(log).toEqual([1, '1 undefined']);
    expect(bus.inspect()).toMatchObject({ handled: 1, cancelled: 1 });
  });

  it('have a name', () => {
    const { bus } = makeBus(env);

    expect(codeOf(() => bus.conversation('' as never))).toBeInstanceOf(TypeError);
    expect(codeOf(() => bus.conversation(7 as never))).toBeInstanceOf(TypeError);
    expect(bus.conversation('unknown').deliveries).toEqual([]);
  });
});

describe('a handler that goes on when its conversation is cancelled', () => {
  it.each([
    { onHang: 'release', next: 1 },
    { onHang: 'hold', next: 0 },
    { onHang: 'stop', next: 0 },
  ] as const)('is fenced after the grace, onHang: $onHang', async ({ onHang, next }) => {
    const t = createTestBus();
    let say: (() => unknown) | undefined;
    let handled = 0;
    t.bus.register('a', { onHang }).subscribe('work', (message, context): unknown => {
      say ??= () => context.publish('late', 1);
      return message.correlationId === 'talk' ? hang() : handled++;
    });
    t.bus.publish('work', 1, { correlationId: 'talk' });
    await t.settle();
    t.bus.publish('work', 2);
    t.bus.conversation('talk').cancel();

    await t.clock.advance(999);
    expect(t.bus.inspect()).toMatchObject({ inFlight: 1, abandoned: 0 });
    await t.clock.advance(1);

    expect(t.bus.inspect()).toMatchObject({ abandoned: 1, cancelled: 1 });
    expect(handled).toBe(next);
    expect(codeOf(say as () => unknown)).toBe('TELLASK_FENCED');
    expectBalanced(t.bus);
  });

  it('leaves nothing behind when the bus closes meanwhile', async () => {
    const t = createTestBus();
    t.bus.register('a').subscribe('work', hang);
    const { id } = t.bus.publish('work', 1);
    await t.settle();
    t.bus.conversation(id).cancel();

    const closed = t.bus.close({ mode: 'abort' });
    await t.clock.advance(1_000);

    expect(await closed).toMatchObject({ drained: false });
    expect(t.bus.inspect()).toMatchObject({ inFlight: 0, abandoned: 1 });
    expectBalanced(t.bus);
  });
});
