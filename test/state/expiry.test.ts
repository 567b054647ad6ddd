import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StateManager } from '../../src/state/state-manager.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { makeState, readOn, thrownBy } from './make-state.ts';

function makeSim(): { env: SimEnv; state: StateManager } {
  const env = new SimEnv();
  return { env, state: new StateManager({ env }) };
}

describe('a value with an end', () => {
  // R:K8
  it('expires with a version that watchers see', async () => {
    const { env, state } = makeSim();
    const log: string[] = [];
    void readOn(state.watch('**'), log);

    const entry = state.as('ann').set('a', 1, { ttlMs: 100 });
    await env.advance(99);
    expect([state.get('a')?.value, entry.expiresAt]).toEqual([1, env.wall() + 1]);
    await env.advance(1);

    expect(log).toEqual(['1 a@1 set', '2 a@2 expired']);
    expect(state.get('a')).toBeUndefined();
    expect(state.history('a').at(-1)).toMatchObject({
      version: 2,
      action: 'expired',
      actor: '$host',
      value: undefined,
      expiresAt: undefined,
      at: entry.expiresAt,
    });
    expect(state.create('a', 2).version).toBe(3);
    await state.close();
  });

  it.each([
    ['get', (state: StateManager) => state.get('a')?.value],
    ['has', (state: StateManager) => state.has('a') || undefined],
    ['list', (state: StateManager) => state.list()[0]],
    ['history', (state: StateManager) => state.history('a').at(-1)?.value],
    ['metrics', (state: StateManager) => state.metrics().keys || undefined],
    ['a claim', (state: StateManager) => state.compareAndSet('a', 0, 2).version - 3 || undefined],
    ['a new one', (state: StateManager) => state.create('a', 2).version - 3 || undefined],
    ['a delete', (state: StateManager) => state.delete('a')],
  ])('is never seen by %s at its instant, also before the timer has run', async (_, look) => {
    const { env, state } = makeSim();
    const seen: unknown[] = [];
    // Both are due at once, and the one that was set first runs first.
    env.setTimer(50, () => seen.push(look(state), state.metrics().revision > 1));
    state.set('a', 1, { ttlMs: 50 });

    await env.advance(50);

    expect(seen).toEqual([undefined, true]);
    expect(state.history('a').filter(({ action }) => action === 'expired')).toHaveLength(1);
  });

  it('lives on or not as each write says', async () => {
    const { env, state } = makeSim();
    for (const key of ['kept', 'cleared', 'longer', 'endless', 'renewed', 'deleted']) {
      state.set(key, 1, { ttlMs: 100 });
    }
    await env.advance(60);
    state.update('kept', () => 2);
    state.set('cleared', 2);
    state.set('longer', 2, { ttlMs: 100 });
    state.update('endless', () => 2, { ttlMs: Infinity });
    state.update('renewed', (value) => value, { ttlMs: 100 });
    state.delete('deleted');

    await env.advance(40);
    expect(state.list().map(({ key }) => key)).toEqual(['cleared', 'endless', 'longer', 'renewed']);
    expect(state.history('deleted').at(-1)?.action).toBe('deleted');
    await env.advance(60);

    expect(state.list().map(({ key }) => key)).toEqual(['cleared', 'endless']);
    expect(env.pendingTimers()).toEqual([]);
  });

  it('does not heed the wall clock, which somebody may set', async () => {
    const env = new SimEnv();
    let shift = 0;
    Object.defineProperty(env, 'wall', { value: () => 1_000_000 + env.now() + shift });
    const state = new StateManager({ env });
    state.set('a', 1, { ttlMs: 100 });
    state.set('b', 1, { ttlMs: 100 });

    shift = 50_000;
    expect(state.has('a')).toBe(true);
    shift = -50_000;
    state.update('b', () => 2);
    await env.advance(100);

    expect(state.list()).toEqual([]);
  });

  it('expires under a transaction that has seen it', async () => {
    const { env, state } = makeSim();
    state.set('a', 1, { ttlMs: 10 });
    const seen: unknown[] = [];

    const done = state.transaction(async (tx) => {
      seen.push(tx.get('a')?.value);
      if (seen.length === 1) await new Promise<void>((resolve) => env.setTimer(10, resolve));
      tx.set('b', seen.at(-1) ?? 'gone');
    });
    await env.advance(20);
    await done;

    expect([seen, state.get('b')?.value]).toEqual([[1, undefined], 'gone']);
  });

  it('is refused when its time makes no sense', () => {
    const { state } = makeSim();

    const names = [0, -1, Number.NaN, '5'].map(
      (ttlMs) => (thrownBy(() => state.set('a', 1, { ttlMs: ttlMs as number })) as Error)?.name,
    );

    expect(names).toEqual(['TypeError', 'TypeError', 'TypeError', 'TypeError']);
    expect(state.set('a', 1, { ttlMs: Number.MAX_VALUE }).version).toBe(1);
  });

  it('keeps one timer, however many there are, and none when the state is closed', async () => {
    const { env, state } = makeSim();
    for (let n = 0; n < 5_000; n++) state.set(`k.${n % 10}`, n, { ttlMs: 1_000 + (n % 7) });
    expect(env.pendingTimers()).toEqual([{ label: 'state ttl', at: 1_000 }]);

    await state.close();

    expect(env.pendingTimers()).toEqual([]);
    await env.advance(2_000);
    expect([state.get('k.1'), state.list()]).toEqual([undefined, []]);
  });

  it('expires in portions when many are due at once', async () => {
    const { env, state } = makeSim();
    for (let n = 0; n < 2_500; n++) state.set(`k.${n}`, n, { ttlMs: 10 });
    state.set('later', 1, { ttlMs: 15 });
    const log: string[] = [];
    // Nothing looks at the state meanwhile: that alone would make it all expire.
    void readOn(state.watch('**', { buffer: 5_000 }), log);

    await env.advance(10);
    expect(log).toHaveLength(2_500);
    await env.advance(5);
    expect(log.at(-1)).toBe('5002 later@2 expired');

    await state.close();
    expect(state.metrics()).toMatchObject({ keys: 0, revision: 5_002, bytes: 0 });
  });

  it('agrees with a model that knows only instants', async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constantFrom('set', 'update', 'renew', 'delete'),
        key: fc.constantFrom('a', 'b', 'c'),
        ttlMs: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
      }),
      fc.record({ ms: fc.integer({ min: 1, max: 15 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { env, state } = makeSim();
        const ends = new Map<string, number>();
        for (const one of steps) {
          if ('ms' in one) {
            await env.advance(one.ms);
            for (const [key, end] of ends) if (end <= env.now()) ends.delete(key);
            expect(state.list().map(({ key }) => key)).toEqual([...ends.keys()].sort());
            continue;
          }
          const { kind, key, ttlMs } = one;
          const options = ttlMs === undefined ? {} : { ttlMs };
          const anew = env.now() + (ttlMs ?? Infinity);
          if (kind === 'delete') {
            state.delete(key);
            ends.delete(key);
          } else if (kind === 'set') {
            state.set(key, env.now(), options);
            ends.set(key, anew);
          } else if (ends.has(key)) {
            state.update(key, (value) => (kind === 'renew' ? value : env.now()), options);
            if (ttlMs !== undefined) ends.set(key, anew);
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('a value with an end, on the real Env', () => {
  it('expires with its instant', async () => {
    const { state } = makeState('real');
    const watch = state.watch('a');
    state.set('a', 1, { ttlMs: 5 });

    const actions = [await watch.next(), await watch.next()].map(({ value }) => value?.action);

    expect(actions).toEqual(['set', 'expired']);
    await state.close();
  });
});
