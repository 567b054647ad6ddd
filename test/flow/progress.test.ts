import { describe, expect, it } from 'vitest';
import type { Context, RequestOptions } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, gate, hang, outcomeOf } from './books.ts';

describe.each(['real', 'simulated'] as const)('progress, on the %s Env', (env) => {
  // F:C11
  it('reaches the asker in order, and before the answer', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('baker').serve('bake', (_m, context) => {
      context.progress('mixed');
      context.progress({ baked: 0.5 });
      context.progress();
      return 'bread';
    });
    const log: unknown[] = [];

    void bus
      .request('bake', 1, { onProgress: (update) => log.push(update) })
      .then((answer) => log.push(answer));
    await settle();

    expect(log).toEqual(['mixed', { baked: 0.5 }, undefined, 'bread']);
    expectBalanced(bus);
  });

  it('passes from asker to asker when each passes it on', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('b').serve('inner', (_m, context) => context.progress('half'));
    bus.register('a').serve('outer', async (_m, context) => {
      await context.request('inner', 1, { onProgress: (update) => context.progress(update) });
    });
    const log: unknown[] = [];

    void bus.request('outer', 1, { onProgress: (update) => log.push(update) });
    await settle();

    expect(log).toEqual(['half']);
  });

  it('changes nothing for a message that nobody waits for, or waits for no more', async () => {
    const { bus, settle } = makeBus(env);
    const late = gate();
    const log: unknown[] = [];
    bus.subscribe('news', (_m, context) => context.progress('nobody asked'));
    bus.register('a').serve('q', async (_m, context) => {
      context.reply('early');
      await late.opened;
      context.progress('too late');
    });

    bus.publish('news', 1);
    const asked = outcomeOf(bus.request('q', 1, { onProgress: (update) => log.push(update) }));
    await settle();
    late.open();
    await settle();

    expect(asked.now()).toEqual({ value: 'early' });
    expect(log).toEqual([]);
    expect(bus.inspect()).toMatchObject({ handled: 2, faults: 0 });
  });

  // R:C1
  it.each([
    ['throws', () => fail()],
    ['rejects', () => Promise.reject(new Error('mine'))],
  ])('goes on when onProgress %s, and reports it once', async (_how, onProgress) => {
    const faults: string[] = [];
    const { bus, settle } = makeBus(env, { onFault: (_error, where) => faults.push(where) });
    bus.register('a').serve('q', (_m, context) => {
      context.progress(1);
      return 'answer';
    });

    const asked = outcomeOf(bus.request('q', 1, { onProgress }));
    await settle();

    expect(asked.now()).toEqual({ value: 'answer' });
    expect(faults).toEqual(['onProgress']);
  });

  // R:E1
  it('hands over a copy of what was said, and refuses what is no data', async () => {
    const { bus, settle } = makeBus(env);
    const update = { pages: [1] };
    const accessor = {
      get forbidden() {
        return 1;
      },
    };
    const codes: unknown[] = [];
    bus.register('a').serve('q', (_m, context) => {
      context.progress(update);
      update.pages.push(2);
      codes.push(codeOf(() => context.progress(accessor)));
    });
    const heard: unknown[] = [];

    void bus.request('q', 1, { onProgress: (one) => heard.push(one) });
    await settle();

    expect(heard).toEqual([{ pages: [1] }]);
    expect(Object.isFrozen(heard[0])).toBe(true);
    expect(codes).toEqual(['TELLASK_PAYLOAD']);
  });

  it.each([
    ['idleTimeoutMs', -1, RangeError],
    ['idleTimeoutMs', '5', TypeError],
    ['onProgress', 'log', TypeError],
  ])('refuses %s: %j', async (name, value, kind) => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('q', () => 1);

    const asked = outcomeOf(bus.request('q', 1, { [name]: value } as RequestOptions));
    await settle();

    expect((asked.now() as { error: Error }).error).toBeInstanceOf(kind);
    expect(bus.inspect().admitted).toBe(0);
  });

  // F:C10
  it('has the key that the asker gave', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('bank').serve('pay', (_m, context) => context.idempotencyKey);

    const asked = outcomeOf(bus.request('pay', 7, { idempotencyKey: 'invoice-7' }));
    await settle();

    expect(asked.now()).toEqual({ value: 'invoice-7' });
  });
});

// R:F3 F:C4
describe('the idle limit of a request', () => {
  it('ends a request without a sign of life, and says how long it waited', async () => {
    const t = createTestBus();
    t.bus.register('a').serve('q', hang);

    const asked = outcomeOf(t.bus.request('q', 1, { idleTimeoutMs: 100 }));
    await t.clock.advance(99);
    expect(asked.now()).toBe('pending');
    await t.clock.advance(1);

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_TIMEOUT', timeoutMs: 100 } });
    expect(t.bus.inspect().pendingRequests).toBe(0);
  });

  it('counts anew from every sign of life, up to the hard limit', async () => {
    const t = createTestBus();
    let context: Context | undefined;
    t.bus.register('a').serve('q', (_m, own) => {
      context = own;
      return hang();
    });

    const asked = outcomeOf(t.bus.request('q', 1, { idleTimeoutMs: 100, timeoutMs: 350 }));
    for (let n = 0; n < 4; n++) {
      await t.clock.advance(80);
      context?.progress(n);
    }
    expect(asked.now()).toBe('pending');
    await t.clock.advance(29);
    expect(asked.now()).toBe('pending');
    await t.clock.advance(1);

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_TIMEOUT', timeoutMs: 350 } });
  });

  it('aborts the responder that it gave up', async () => {
    const t = createTestBus();
    const reasons: unknown[] = [];
    t.bus.register('a').serve('q', (_m, { signal }) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason.code));
      return hang();
    });

    void t.bus.request('q', 1, { idleTimeoutMs: 100 }).catch(() => {});
    await t.clock.advance(100);

    expect(reasons).toEqual(['TELLASK_TIMEOUT']);
  });

  // R:B4
  it('lets no fenced handler give a sign of life', async () => {
    const t = createTestBus();
    let context: Context | undefined;
    t.bus.register('a').serve('q', (_m, own) => {
      context = own;
      return hang();
    });
    void t.bus.request('q', 1, { timeoutMs: 100 }).catch(() => {});

    await t.clock.advance(1_200);

    expect(codeOf(() => context?.progress(1))).toBe('TELLASK_FENCED');
  });
});

// F:C10
describe('the idempotency key of a message without one', () => {
  it('has one key for all attempts and redrives of a message', async () => {
    const t = createTestBus();
    const keys: string[] = [];
    let healthy = false;
    const pay = (_m: unknown, context: Context): void => {
      keys.push(context.idempotencyKey);
      if (!healthy) throw new Error('the bank is closed');
    };
    const retry = { maxAttempts: 2, baseMs: 10 };
    t.bus.register('bank').subscribe('pay', pay, { retry });

    const receipt = t.bus.publish('pay', 7);
    await t.run();
    healthy = true;
    void t.bus.deadLetters.redrive();
    await t.run();

    expect(keys).toEqual([receipt.id, receipt.id, receipt.id]);
  });
});

function fail(): never {
  throw new Error('mine');
}
