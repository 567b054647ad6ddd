import { describe, expect, it } from 'vitest';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, gate, hang, outcomeOf } from './books.ts';

describe.each(['real', 'simulated'] as const)('leaving, on the %s Env', (env) => {
  // R:A3 R:F1
  it('dead-letters the mail and fails the askers at once', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a', { capacity: 3, overflow: 'wait' });
    agent.subscribe('x', () => {});
    agent.subscribe('own', () => {}, { lane: 'own', key: () => 'k' });
    agent.serve('q', () => 1);
    agent.pause();
    const receipts = [bus.publish('x', 1), bus.send('a', 'x', 2), bus.publish('own', 1)];
    const asked = outcomeOf(bus.request('q', 1));
    receipts.push(bus.publish('x', 3));

    await agent.leave();
    await settle();

    for (const receipt of receipts) {
      expect(await receipt.settled).toMatchObject({ deadLettered: [expect.any(String)] });
    }
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_RESPONDER_LEFT' } });
    expect(bus.deadLetters.list({ reason: 'recipient-stopped' })).toHaveLength(5);
    expect(bus.inspect()).toMatchObject({ agents: 0, subscriptions: 0, queued: 0, waiting: 0 });
    expect(codeOf(() => bus.send('a', 'x', 1))).toBe('TELLASK_UNKNOWN_RECIPIENT');
    expectBalanced(bus);
  });

  // R:A3 R:F1
  it('fails at once who asked a responder with a lane of its own: in line, at work, deferred', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    agent.serve('hang', hang, { lane: 'own' });
    agent.serve('later', (_request, context) => context.defer(() => {}), { lane: 'own' });
    const asked = ['hang', 'hang', 'later'].map((topic) => outcomeOf(bus.request(topic, 1)));
    await settle();
    const before = bus.inspect();

    void agent.leave();
    await settle();

    expect(before).toMatchObject({ inFlight: 1, queued: 1, deferred: 1 });
    for (const one of asked) {
      expect(one.now()).toMatchObject({ error: { code: 'TELLASK_RESPONDER_LEFT' } });
    }
    expect(bus.inspect()).toMatchObject({ queued: 0, deferred: 0, pendingRequests: 0 });
    expectBalanced(bus);
  });

  it('fails the asker of a running handler at once, and lets the handler end in the grace', async () => {
    const { bus, settle } = makeBus(env);
    const ends = gate();
    const log: string[] = [];
    const agent = bus.register('a');
    agent.serve('q', async (_message, { signal }) => {
      signal.addEventListener('abort', () => log.push(signal.reason.code));
      await ends.opened;
      return 'too late';
    });
    const asked = outcomeOf(bus.request('q', 1));
    await settle();

    const left = outcomeOf(agent.leave());
    await settle();
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_RESPONDER_LEFT' } });
    expect(log).toEqual(['TELLASK_REVOKED']);
    expect(left.now()).toBe('pending');
    ends.open();
    await settle();

    expect(left.now()).toEqual({ value: undefined });
    expect(bus.inspect()).toMatchObject({ handled: 1, lateReplies: 1 });
  });

  it('tells of joining and leaving, and may be called again', async () => {
    const { bus } = makeBus(env);
    const log: string[] = [];
    bus.events.on('joined', (name) => log.push(`joined ${name}`));
    bus.events.on('left', (name) => log.push(`left ${name}`));

    const agent = bus.register('a');
    await Promise.all([agent.leave(), agent.leave()]);
    await agent[Symbol.asyncDispose]();

    expect(log).toEqual(['joined a', 'left a']);
    expect(agent.inspect().status).toBe('left');
  });

  it('is a word of the subscription handle, too', async () => {
    const { bus, settle } = makeBus(env);
    let handled = 0;
    const subscription = bus.register('a').subscribe('x', () => void handled++);

    subscription[Symbol.dispose]();
    subscription.unsubscribe();
    bus.publish('x', 1);
    await settle();

    expect([handled, subscription.pattern, subscription.active]).toEqual([0, 'x', false]);
  });
});

describe('leaving against the clock', () => {
  it('fences a handler that outlives the grace and dead-letters its message', async () => {
    const t = createTestBus();
    const agent = t.bus.register('a');
    agent.subscribe('x', hang);
    agent.subscribe('own', hang, { lane: 'own' });
    const receipts = [t.bus.publish('x', 1), t.bus.publish('own', 1)];
    await t.settle();

    const left = outcomeOf(agent.leave());
    await t.clock.advance(999);
    expect(left.now()).toBe('pending');
    await t.clock.advance(1);

    expect(left.now()).toEqual({ value: undefined });
    for (const receipt of receipts) {
      expect(await receipt.settled).toMatchObject({ deadLettered: [expect.any(String)] });
    }
    expect(t.bus.inspect()).toMatchObject({ abandoned: 2, inFlight: 0 });
    expect(t.bus.deadLetters.list({ reason: 'recipient-stopped' })).toHaveLength(2);
    expectBalanced(t.bus);
  });

  // R:A4
  it('does not retry for an agent that has left while its handler failed', async () => {
    const t = createTestBus();
    const fails = gate();
    const agent = t.bus.register('a');
    agent.subscribe(
      'x',
      async () => {
        await fails.opened;
        throw new Error('no');
      },
      { retry: { maxAttempts: 3 } },
    );
    const receipt = t.bus.publish('x', 1);
    await t.settle();

    void agent.leave();
    fails.open();
    await t.run();

    expect(await receipt.settled).toMatchObject({ deadLettered: [expect.any(String)] });
    expect(t.bus.deadLetters.list()).toMatchObject([
      { reason: 'recipient-stopped', error: { message: 'no' } },
    ]);
    expectBalanced(t.bus);
  });
});
