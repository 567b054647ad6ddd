import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineContract, type ForwardTo, type Message, type MessageBus } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, gate, hang, outcomeOf } from './books.ts';

/** A clerk that hands over whatever it is asked. */
function makeClerk(bus: MessageBus, to: ForwardTo, name = 'clerk') {
  const clerk = bus.register(name);
  clerk.serve('q', (_request, context) => context.forward(to));
  return clerk;
}

describe.each(['real', 'simulated'] as const)('forwarding, on the %s Env', (env) => {
  // R:F0 F:C14
  it('lets another agent answer the asker, inside the same conversation', async () => {
    const { bus, settle } = makeBus(env);
    const seen: Message[] = [];
    bus.use({
      name: 'see',
      handle: (message, _context, next) => {
        seen.push(message);
        return next();
      },
    });
    const clerk = makeClerk(bus, 'expert');
    bus.register('expert').serve('q', ({ payload }) => `expert on ${payload}`);

    const asked = outcomeOf(
      bus.request('q', 'tea', { to: 'clerk', priority: 8, headers: { lang: 'en' } }),
    );
    await settle();

    expect(asked.now()).toEqual({ value: 'expert on tea' });
    const [first, second] = seen as [Message, Message];
    expect(second).toMatchObject({ from: 'clerk', to: 'expert', topic: 'q', payload: 'tea' });
    expect(second.correlationId).toBe(first.correlationId);
    expect(second.causationId).toBe(first.id);
    expect(second.expiresAt).toBe(first.expiresAt);
    expect([second.priority, second.headers]).toEqual([8, { lang: 'en' }]);
    expect(clerk.inspect()).toMatchObject({ running: 0 });
    expect(bus.inspect()).toMatchObject({ handled: 2, deferred: 0, pendingRequests: 0 });
  });

  it('holds neither the agent nor its mailbox meanwhile', async () => {
    const { bus, settle } = makeBus(env);
    const { opened, open } = gate();
    const clerk = makeClerk(bus, 'expert');
    clerk.serve('other', () => 'at once');
    bus.register('expert').serve('q', () => opened.then(() => 'at last'));

    const asked = outcomeOf(bus.request('q', 1, { to: 'clerk' }));
    await settle();
    const other = outcomeOf(bus.request('other', 1));
    await settle();

    expect(other.now()).toEqual({ value: 'at once' });
    expect(bus.pending().map(({ from, to, status }) => [from, to, status])).toEqual([
      ['$host', 'clerk', 'deferred'],
      ['clerk', 'expert', 'running'],
    ]);
    open();
    await settle();
    expect(asked.now()).toEqual({ value: 'at last' });
  });

  it('finds the other by capability, and never the one who forwards', async () => {
    const { bus, settle } = makeBus(env);
    const able = { capabilities: ['expertise'] };
    for (const name of ['a', 'b']) {
      bus.register(name, able).serve('q', (request, context) => {
        if (request.from === '$host') return context.forward({ capability: 'expertise' });
        return `${name} for ${request.from}`;
      });
    }

    const asked = ['a', 'b'].map((to) => outcomeOf(bus.request('q', 1, { to })));
    await settle();

    expect(asked.map((one) => one.now())).toEqual([{ value: 'b for a' }, { value: 'a for b' }]);
  });

  it.each([
    { to: 'expret', code: 'TELLASK_UNKNOWN_RECIPIENT' },
    { to: 'idle', code: 'TELLASK_NO_RESPONDER' },
    { to: 'clerk', code: 'TELLASK_NO_RESPONDER' },
    { to: { capability: 'none' }, code: 'TELLASK_NO_RESPONDER' },
  ])('tells the asker at once that there is nobody: $to', async ({ to, code }) => {
    const { bus, settle } = makeBus(env);
    bus.register('idle');
    bus.register('expert').serve('q', () => 1);
    makeClerk(bus, to);

    const asked = outcomeOf(bus.request('q', 1, { to: 'clerk' }));
    await settle();

    expect(asked.now()).toMatchObject({ error: { code } });
    expect(bus.inspect()).toMatchObject({ deferred: 0, deadLettered: 1 });
    expectBalanced(bus);
  });

  it('gives the asker the very error of the other', async () => {
    const { bus, settle } = makeBus(env);
    const error = new Error('mine');
    makeClerk(bus, 'expert');
    bus.register('expert').serve('q', () => Promise.reject(error));

    const asked = outcomeOf(bus.request('q', 1, { to: 'clerk' }));
    await settle();

    expect((asked.now() as { error: unknown }).error).toBe(error);
  });

  it('gives the asker the progress of the other', async () => {
    const { bus, settle } = makeBus(env);
    const heard: unknown[] = [];
    makeClerk(bus, 'expert');
    bus.register('expert').serve('q', (_request, context) => {
      context.progress('half');
      return 'done';
    });

    const options = { to: 'clerk', onProgress: (update: unknown) => heard.push(update) };
    await Promise.all([bus.request('q', 1, options), settle()]);

    expect(heard).toEqual(['half']);
  });

  // R:F5
  it('gives the asker the chunks of the other, with the back-pressure of its reader', async () => {
    const { bus, settle } = makeBus(env);
    let yielded = 0;
    makeClerk(bus, 'expert');
    bus.register('expert').serve('q', function* () {
      while (yielded < 5) yield ++yielded;
      return 'all';
    });

    const stream = bus.stream('q', 1, { to: 'clerk', highWaterMark: 2 });
    await settle();
    expect([yielded, stream.unread]).toEqual([2, 2]);
    const read: unknown[] = [];
    for (let n = 0; n < 6; n++) {
      const [step] = await Promise.all([stream.next(), settle()]);
      read.push(step.value);
    }

    expect(read).toEqual([1, 2, 3, 4, 5, 'all']);
    expect(bus.inspect()).toMatchObject({ handled: 2, deferred: 0, pendingRequests: 0 });
  });

  it('stops the generator of the other when the reader leaves', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    makeClerk(bus, 'expert');
    bus.register('expert').serve('q', async function* () {
      try {
        for (;;) yield 'chunk';
      } finally {
        log.push('stopped');
      }
    });

    const stream = bus.stream('q', 1, { to: 'clerk' });
    const [first] = await Promise.all([stream.next(), settle()]);
    log.push(first.value as string);
    await Promise.all([stream.return?.(), settle()]);

    expect(log).toEqual(['chunk', 'stopped']);
    expect(bus.inspect()).toMatchObject({ pendingRequests: 0, inFlight: 0, deferred: 0 });
    expectBalanced(bus);
  });

  it('calls the other off when the asker does not want it any more', async () => {
    const { bus, settle } = makeBus(env);
    const reasons: unknown[] = [];
    const controller = new AbortController();
    makeClerk(bus, 'expert');
    bus.register('expert').serve('q', (_request, context) => {
      context.signal.addEventListener('abort', () => reasons.push(context.signal.reason));
      return hang();
    });

    const options = { to: 'clerk', signal: controller.signal };
    const asked = outcomeOf(bus.request('q', 1, options));
    await settle();
    controller.abort('enough');
    await settle();

    expect(asked.now()).toEqual({ error: 'enough' });
    expect(reasons).toEqual(['enough']);
    expect(bus.inspect()).toMatchObject({ cancelled: 1, deferred: 0, pendingRequests: 0 });
  });

  it.each([
    { leaves: 'clerk', responder: 'clerk' },
    { leaves: 'expert', responder: 'expert' },
  ])('tells the asker at once when $leaves leaves', async ({ leaves, responder }) => {
    const { bus, settle } = makeBus(env, { graceMs: 0 });
    const agents = { clerk: makeClerk(bus, 'expert'), expert: bus.register('expert') };
    agents.expert.serve('q', hang);

    const asked = outcomeOf(bus.request('q', 1, { to: 'clerk' }));
    await settle();
    void agents[leaves as 'clerk' | 'expert'].leave();
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_RESPONDER_LEFT', responder } });
    expect(bus.inspect()).toMatchObject({ deferred: 0, pendingRequests: 0 });
    expectBalanced(bus);
  });

  it('is stopped by the guards when it goes round in a circle', async () => {
    const { bus, settle } = makeBus(env, { guard: { maxDepth: 5 } });
    makeClerk(bus, 'b', 'a');
    makeClerk(bus, 'a', 'b');

    const asked = outcomeOf(bus.request('q', 1, { to: 'a' }));
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_LOOP' } });
    expect(bus.inspect()).toMatchObject({ deferred: 0, inFlight: 0, pendingRequests: 0 });
    expectBalanced(bus);
  });

  it('asks with another payload, which the contract checks; its own is not parsed again', async () => {
    let parsed = 0;
    const input = z.number().transform((n) => {
      parsed++;
      return n + 1;
    });
    const contract = defineContract({ requests: { q: { input, output: z.number() } } });
    const { bus, settle } = makeBus(env, { contract });
    bus.register('clerk').serve('q', (_request, context) => context.forward('expert'));
    bus
      .register('other')
      .serve('q', (_request, context) => context.forward('expert', { payload: 10 }));
    bus
      .register('bad')
      .serve('q', (_request, context) => context.forward('expert', { payload: 'ten' }));
    bus.register('expert').serve('q', ({ payload }) => payload);

    const asked = ['clerk', 'other', 'bad'].map((to) => outcomeOf(bus.request('q', 1, { to })));
    await settle();

    expect(asked.map((one) => one.now())).toMatchObject([
      { value: 2 },
      { value: 11 },
      { error: { code: 'TELLASK_VALIDATION' } },
    ]);
    expect(parsed).toBe(4);
  });

  it('passes through the middleware, which may change what is asked', async () => {
    const { bus, settle } = makeBus(env);
    makeClerk(bus, 'expert');
    bus.register('expert').serve('q', ({ payload }) => payload);
    bus.use({
      name: 'louder',
      outgoing: (draft, next) => {
        if (draft.from === 'clerk') draft.payload = `${draft.payload}!`;
        next();
      },
    });

    const asked = outcomeOf(bus.request('q', 'tea', { to: 'clerk' }));
    await settle();

    expect(asked.now()).toEqual({ value: 'tea!' });
  });

  it('refuses what cannot be forwarded', async () => {
    const { bus, settle } = makeBus(env);
    const errors: unknown[] = [];
    let late: (() => unknown) | undefined;
    const clerk = bus.register('clerk');
    const bound = clerk.restrict({ request: [] });
    clerk.subscribe('event', (_message, context) =>
      errors.push(codeOf(() => context.forward('expert'))),
    );
    clerk.serve('q', (_request, context) => {
      late = () => context.forward('expert');
      errors.push(codeOf(() => context.forward(7 as never)));
      errors.push(codeOf(() => context.forward({} as never)));
      errors.push(codeOf(() => context.forward('expert', 1 as never)));
      errors.push(codeOf(() => context.forward('expert', { to: 'x' } as never)));
      errors.push(codeOf(() => context.forward('expert', { timeoutMs: -1 })));
    });
    bound.serve('bound', (_request, context) => {
      errors.push(codeOf(() => context.forward('expert')));
    });

    bus.publish('event', 1);
    void bus.request('q', 1);
    void bus.request('bound', 1);
    await settle();

    expect(errors.slice(0, 5).every((error) => error instanceof TypeError)).toBe(true);
    expect(errors[5]).toBeInstanceOf(RangeError);
    expect(errors[6]).toBe('TELLASK_DENIED');
    expect(codeOf(late as () => unknown)).toBe('TELLASK_FENCED');
    expect(bus.inspect()).toMatchObject({ handled: 3, deferred: 0 });
  });
});

describe('the time of what is forwarded', () => {
  it('is what the asker has left', async () => {
    const t = createTestBus();
    makeClerk(t.bus, 'expert');
    t.bus.register('expert').serve('q', hang);
    const asked = outcomeOf(t.bus.request('q', 1, { to: 'clerk', timeoutMs: 500 }));

    await t.clock.advance(499);
    expect(asked.now()).toBe('pending');
    await t.clock.advance(1);

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_TIMEOUT', timeoutMs: 500 } });
    expect(t.bus.inspect()).toMatchObject({ expired: 1, deferred: 0, pendingRequests: 0 });
    expect(t.bus.deadLetters.list().map(({ reason }) => reason)).toEqual(['expired']);
  });

  it('may be less, and then the asker hears of it at once', async () => {
    const t = createTestBus();
    t.bus
      .register('clerk')
      .serve('q', (_request, context) => context.forward('expert', { timeoutMs: 100 }));
    t.bus.register('expert').serve('q', hang);
    const asked = outcomeOf(t.bus.request('q', 1, { to: 'clerk' }));

    await t.clock.advance(100);

    expect(asked.now()).toMatchObject({
      error: { code: 'TELLASK_TIMEOUT', responder: 'expert', timeoutMs: 100 },
    });
  });

  it('is without end for an asker without a limit', async () => {
    const t = createTestBus();
    const { opened, open } = gate();
    makeClerk(t.bus, 'expert');
    t.bus.register('expert').serve('q', () => opened.then(() => 'at last'));
    const asked = outcomeOf(t.bus.request('q', 1, { to: 'clerk', timeoutMs: Infinity }));

    await t.clock.advance(10_000_000);
    open();
    await t.settle();

    expect(asked.now()).toEqual({ value: 'at last' });
  });
});
