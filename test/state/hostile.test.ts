// Programs that mean no good, or go wrong, and what has to hold all the same.
import { describe, expect, it } from 'vitest';
import { MemoryStore, StateManager, type Store } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { thrownBy } from './make-state.ts';

const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: { code?: string }) => error?.code ?? String(error),
  );

describe('a state in bad hands', () => {
  // R:K5
  it.each([
    ['what he watches', 'a', 'a'],
    ['what another watches who does the same', 'a', 'b'],
  ])('lets time go on for others while somebody writes %s', async (_what, one, other) => {
    const state = new StateManager();
    let isOver = false;
    // Where nobody else had a turn, this would not end.
    setImmediate(() => {
      isOver = true;
      void state.close();
    });
    const echo = async (from: string, to: string): Promise<number> => {
      let count = 0;
      for await (const { version } of state.watch(from)) {
        count = version;
        if (!isOver) state.set(to, version);
      }
      return count;
    };
    const echoes = one === other ? [echo(one, one)] : [echo(one, other), echo(other, one)];

    state.set(one, 0);
    const counts = await Promise.all(echoes);

    expect(Math.min(...counts)).toBeGreaterThan(1);
  });

  it('is found out on the simulated Env: a watch that feeds itself does not end', async () => {
    const env = new SimEnv({ maxSteps: 1_000 });
    const state = new StateManager({ env });
    void (async () => {
      for await (const { version } of state.watch('a')) state.set('a', version);
    })();
    state.set('a', 0);

    await expect(env.settle()).rejects.toThrow('1000');
  });

  it('gives all versions in order to who reads in a rush, whoever else asks meanwhile', async () => {
    const state = new StateManager();
    const watch = state.watch('a', { buffer: 5_000 });
    for (let n = 0; n < 3_000; n++) state.set('a', n);

    const asked = Array.from({ length: 3_000 }, () => watch.next());
    const versions = (await Promise.all(asked)).map(({ value }) => value?.version);

    expect(versions).toEqual(Array.from({ length: 3_000 }, (_, n) => n + 1));
    await watch.return();
  });

  // R:K4
  it('writes as fast when 20 000 keys have a past as when none has', () => {
    const state = new StateManager();
    const write = (): number => {
      const startedAt = performance.now();
      for (let n = 0; n < 20_000; n++) state.set(`k.${n}`, n);
      return performance.now() - startedAt;
    };
    write();
    const rounds = [write(), write(), write()];

    // It took more than a minute when all of the past was looked at with every write.
    expect(Math.max(...rounds)).toBeLessThan(5_000);
    expect(state.metrics()).toMatchObject({ keys: 20_000, versions: 80_000 });
  });

  it('keeps its bounds when keys come and go for ever', () => {
    const state = new StateManager({ history: { maxVersions: 3, maxBytes: 1_000 } });
    for (let n = 0; n < 103_000; n++) {
      state.set(`k.${n}`, n);
      state.delete(`k.${n}`);
    }

    const { keys, versions, bytes, historyBytes } = state.metrics();
    expect({ keys, bytes }).toEqual({ keys: 0, bytes: 0 });
    expect(historyBytes).toBeLessThanOrEqual(1_000);
    expect(versions).toBeLessThan(102_000);
  });

  // R:K2
  it('calls off transactions that never end when it is closed', async () => {
    const env = new SimEnv();
    const state = new StateManager({ env });
    let signal: AbortSignal | undefined;
    const hanging = outcome(
      state.transaction((tx) => {
        signal = tx.signal;
        tx.set('a', 1);
        return new Promise(() => {});
      }),
    );
    await env.settle();

    await state.close();

    expect(await hanging).toBe('TELLASK_STATE_CLOSED');
    expect(signal?.aborted).toBe(true);
    expect(state.has('a')).toBe(false);
  });

  // R:K3
  it('does not merge over what the solver of a conflict has written itself', async () => {
    const state = new StateManager();
    state.set('a', 1);
    state.set('a', 2);
    const solve = (view: Pick<StateManager, 'compareAndSet' | 'set'>) =>
      view.compareAndSet('a', 1, 3, {
        onConflict: ({ theirs }) => {
          view.set('a', 99);
          return [theirs, 3];
        },
      });

    const alone = thrownBy(() => solve(state));
    const within = await state.transaction((tx) => thrownBy(() => solve(tx)));

    for (const error of [alone, within]) {
      expect(error).toMatchObject({ code: 'TELLASK_STATE_CONFLICT', key: 'a' });
    }
    expect(state.get('a')?.value).toBe(99);
  });

  // R:K1
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'a.__proto__.b'])(
    'takes %s as a key like any other',
    async (key) => {
      const store = new MemoryStore();
      const state = await StateManager.open({ store });
      state.create(key, { constructor: 1 });
      await state.transaction((tx) => tx.update(key, () => 2));
      await state.flushed();
      const later = await StateManager.open({ store });
      const copy = new StateManager();
      copy.restore(JSON.parse(JSON.stringify(later.snapshot())));

      expect(copy.list().map((entry) => [entry.key, entry.value])).toEqual([[key, 2]]);
      expect(copy.get(key)?.version).toBe(3);
      expect(({} as Record<string, unknown>)['constructor']).toBe(Object);
    },
  );

  // R:K8
  it.each<[string, (inner: Store) => Partial<Store>]>([
    ['throws', () => ({ commit: () => boom() })],
    ['rejects with nothing', () => ({ commit: () => Promise.reject(undefined) })],
    ['gives no promise', () => ({ commit: () => undefined as never })],
    [
      'gives a commit that throws',
      () => ({ commit: async () => new Proxy({}, { get: boom }) as never }),
    ],
    ['gives null for what is not there', () => ({ commit: boom, get: async () => null as never })],
    [
      'rejects with what throws',
      () => ({ commit: () => Promise.reject(new Proxy({}, { get: boom })) }),
    ],
  ])('rolls back, and harms nobody, with a store that %s', async (_what, make) => {
    const inner = new MemoryStore();
    const env = new SimEnv();
    const store: Store = {
      get: (key) => inner.get(key),
      scan: (...args) => inner.scan(...args),
      read: (...args) => inner.read(...args),
      commit: (writes) => inner.commit(writes),
      close: () => inner.close(),
      ...make(inner),
    };
    const state = await StateManager.open({ store, env, onFault: boom });

    const entry = state.set('a', 1);
    await env.settle();

    expect(await outcome(entry.durable)).toBe('TELLASK_STATE_NOT_DURABLE');
    expect(state.has('a')).toBe(false);
    expect(state.getVersion('a', 2).action).toBe('rolled-back');
  });

  // R:K8
  it('does not read for ever in a store that pages wrongly', async () => {
    const inner = new MemoryStore();
    const writes = Array.from({ length: 1_000 }, (_, n) => ({
      key: `state/k.${n}`,
      value: '{"value":1,"version":1,"revision":1,"action":"set","actor":"x","at":1}',
    }));
    await inner.commit(writes);
    const store: Store = {
      get: (key) => inner.get(key),
      scan: (prefix) => inner.scan(prefix, { limit: 1_000 }),
      read: () => inner.read(),
      commit: (all) => inner.commit(all),
      close: () => inner.close(),
    };

    expect(await outcome(StateManager.open({ store }))).toBe('TELLASK_STATE_STORED');
  });
});

function boom(): never {
  throw new Error('boom');
}
