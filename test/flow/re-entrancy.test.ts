import { describe, expect, it } from 'vitest';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';

// The table "Re-entrancy" of docs/delivery-guarantees.md, row by row.
describe.each(['real', 'simulated'] as const)('inside a handler, on the %s Env', (env) => {
  it('what is said is admitted at once and handled in a later turn, also by oneself', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const agent = bus.register('agent');
    agent.subscribe('count', ({ payload }, context) => {
      log.push(`begin ${payload}`);
      if (payload === 0) log.push(`to ${context.send('agent', 'count', 1).recipients}`);
      log.push(`end ${payload}`);
    });

    bus.send('agent', 'count', 0);
    await settle();

    expect(log).toEqual(['begin 0', 'to agent', 'end 0', 'begin 1', 'end 1']);
  });

  it('a request holds the agent until it is answered', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    let answer = (): void => {};
    bus.register('slow').serve('ask', () => new Promise<void>((resolve) => (answer = resolve)));
    bus.register('agent').subscribe('job', async ({ payload }, context) => {
      log.push(`begin ${payload}`);
      if (payload === 1) await context.request('ask', {});
      log.push(`end ${payload}`);
    });

    bus.publish('job', 1);
    bus.publish('job', 2);
    await settle();
    log.push('answered');
    answer();
    await settle();

    expect(log).toEqual(['begin 1', 'answered', 'end 1', 'begin 2', 'end 2']);
  });

  it('subscribing and unsubscribing counts from the next publish on', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const agent = bus.register('agent');
    const first = agent.subscribe('job', ({ payload }) => {
      log.push(`first ${payload}`);
      first.unsubscribe();
      agent.subscribe('job', (message) => void log.push(`second ${message.payload}`));
    });

    bus.publish('job', 1);
    await settle();
    bus.publish('job', 2);
    await settle();

    expect(log).toEqual(['first 1', 'second 2']);
  });

  it('pausing counts from the next message on', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    const agent = bus.register('agent');
    agent.subscribe('job', ({ payload }) => {
      log.push(payload);
      agent.pause();
    });

    bus.publish('job', 1);
    bus.publish('job', 2);
    await settle();
    const whilePaused = [...log];
    agent.resume();
    await settle();

    expect(whilePaused).toEqual([1]);
    expect(log).toEqual([1, 2]);
  });

  // R:B7
  it('context.close waits for no one', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('agent').subscribe('end', async (_message, context) => {
      await context.close();
    });
    bus.subscribe('end.all', async (_message, context) => {
      await context.close();
    });

    const left = bus.publish('end', {});
    await settle();
    const agents = bus.agents().length;
    const closed = bus.publish('end.all', {});
    await settle();

    expect([(await left.settled).handled, agents]).toEqual([1, 0]);
    expect([(await closed.settled).handled, bus.inspect().status]).toEqual([1, 'closed']);
  });

  // R:C1
  it('what a tap, a listener or a key function throws is counted and breaks nothing', async () => {
    const faults: string[] = [];
    const broken = (): never => {
      throw new Error('broken');
    };
    const { bus, settle } = makeBus(env, { onFault: (_error, where) => faults.push(where) });
    bus.tap('**', broken);
    bus.events.on('handled', broken);
    bus.register('agent').subscribe('job', () => {}, { key: broken });

    const receipt = bus.publish('job', {});
    await settle();

    expect((await receipt.settled).handled).toBe(1);
    expect(bus.inspect().faults).toBe(3);
    expect(faults).toHaveLength(3);
  });
});

describe('an agent that asks itself', () => {
  it('waits for itself by its handle until the time-out, which says so', async () => {
    const t = createTestBus({ lostContext: 'allow' });
    const errors: string[] = [];
    const agent = t.bus.register('agent');
    agent.serve('self', async function onSelf() {
      await agent.request('self', {}, { timeoutMs: 1_000 }).catch((e) => errors.push(e.message));
    });

    t.bus.request('self', {}).catch(() => {});
    await t.clock.advance(1_000);

    expect(errors).toEqual([
      'agent did not answer self within 1000 ms: next in line; agent has been running onSelf (self) for 1.0 s',
    ]);
  });
});

describe('a handler that awaits the end of the bus', () => {
  it('waits for itself until the time and the grace are over', async () => {
    const t = createTestBus();
    t.bus.subscribe('end', () => t.bus.close({ timeoutMs: 5_000 }).then(() => {}));

    t.bus.publish('end', {});
    await t.clock.advance(5_999);
    const before = t.bus.inspect();
    await t.clock.advance(1);

    expect([before.status, before.inFlight]).toEqual(['draining', 1]);
    expect([t.bus.inspect().status, t.bus.inspect().cancelled]).toEqual(['closed', 1]);
  });
});

describe('a handler that lets its own agent leave and hangs', () => {
  it('is told to stop, gets the grace, and is given up like any other', async () => {
    const t = createTestBus();
    const log: string[] = [];
    const agent = t.bus.register('agent');
    agent.subscribe('job', (_message, context) => {
      context.signal.addEventListener('abort', () => log.push(context.signal.reason.code));
      void agent.leave();
      return new Promise(() => {});
    });

    const receipt = t.bus.publish('job', {});
    await t.clock.advance(1_000);

    expect(log).toEqual(['TELLASK_REVOKED']);
    expect((await receipt.settled).deadLettered).toHaveLength(1);
    expect(t.bus.deadLetters.list().map(({ reason }) => reason)).toEqual(['recipient-stopped']);
    expect(t.bus.inspect().inFlight).toBe(0);
  });
});
