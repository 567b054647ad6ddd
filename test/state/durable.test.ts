import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { realEnv } from '../../src/kernel/real-env.ts';
import { defineContract } from '../../src/message/contract.ts';
import type { StateVersion } from '../../src/state/entry.ts';
import { type OpenStateOptions, StateManager } from '../../src/state/state-manager.ts';
import { MemoryStore } from '../../src/stores/memory-store.ts';
import type { Store } from '../../src/stores/store.ts';
import { faultyStore, type StoreFault } from '../../src/testing/faulty-store.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

interface World {
  readonly inner: MemoryStore;
  readonly state: StateManager;
  readonly faults: unknown[];
  settle(): Promise<void>;
}

type EnvName = 'real' | 'simulated';

async function makeWorld(
  name: EnvName,
  faults: readonly StoreFault[] = [],
  options: Partial<OpenStateOptions> = {},
): Promise<World> {
  const inner = new MemoryStore();
  const heard: unknown[] = [];
  const env = name === 'real' ? realEnv() : new SimEnv();
  const store = faultyStore(inner, faults);
  const state = await StateManager.open({
    store,
    env,
    onFault: (error) => heard.push(error),
    ...options,
  });
  const settle = () => (env instanceof SimEnv ? env.settle() : someTurns());
  return { inner, state, faults: heard, settle };
}

/** The real Env gives up its turn when it was at work for long. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((done) => setImmediate(done));
}

const reopen = (store: Store, options: Partial<OpenStateOptions> = {}) =>
  StateManager.open({ store, env: new SimEnv(), ...options });

const outcome = (promise: Promise<void>) =>
  promise.then(
    () => 'safe',
    (error: { code?: string }) => error.code ?? error,
  );

const told = (versions: readonly StateVersion[]) =>
  versions.map(({ version, action, value }) => `${version} ${action} ${JSON.stringify(value)}`);

describe.each(['real', 'simulated'] as const)('a state with a store, on the %s Env', (env) => {
  // R:K8
  it('is there at once, safe later, and there again after a restart', async () => {
    const { state, inner, settle } = await makeWorld(env);

    const entry = state.as('writer').set('doc.1', { n: 1 });
    state.set('doc.2', 2);
    state.delete('doc.2');
    const before = JSON.stringify(inner);
    await settle();

    expect(state.get('doc.1')?.value).toEqual({ n: 1 });
    expect(JSON.parse(before).entries).toEqual([]);
    expect(await outcome(entry.durable)).toBe('safe');
    const later = await reopen(inner);
    expect(JSON.stringify(later.get('doc.1'))).toBe(JSON.stringify(entry));
    expect(later.has('doc.2')).toBe(false);
  });

  it('counts versions and revisions on after a restart, also over deletes', async () => {
    const { state, inner, settle } = await makeWorld(env);
    state.set('a', 1);
    state.delete('a');
    state.set('b', 1);
    await settle();

    const later = await reopen(inner);

    expect(later.create('a', 2)).toMatchObject({ version: 3, revision: 4 });
    expect(later.set('b', 2)).toMatchObject({ version: 2, revision: 5 });
  });

  it('takes all that was written meanwhile in one commit', async () => {
    const { state, inner, settle } = await makeWorld(env);

    for (let i = 0; i < 100; i++) state.set(`doc.${i % 3}`, i);
    await settle();

    const commits = await inner.read();
    expect(commits.map(({ writes }) => writes.length)).toEqual([3]);
  });

  it('rolls back what the store does not take, and what was written since', async () => {
    const { state, inner, faults, settle } = await makeWorld(env, [
      { on: 'commit', nth: 2, when: 'before', fault: 'fail' },
    ]);
    state.set('a', 1);
    await settle();

    const failed = state.set('a', 2);
    const created = state.create('b', 1);
    await settle();
    const after = state.set('a', 3);
    await settle();

    expect(told(state.history('a'))).toEqual(['1 set 1', '2 set 2', '3 rolled-back 1', '4 set 3']);
    expect(told(state.history('b'))).toEqual(['1 created 1', '2 rolled-back undefined']);
    expect(state.getVersion('a', 3)).toMatchObject({ actor: '$store', revision: 4 });
    expect(await outcome(failed.durable)).toBe('TELLASK_STATE_NOT_DURABLE');
    expect(await outcome(created.durable)).toBe('TELLASK_STATE_NOT_DURABLE');
    expect(await outcome(after.durable)).toBe('safe');
    expect(faults).toHaveLength(1);
    const later = await reopen(inner);
    expect(later.set('a', 4).version).toBe(5);
    expect(later.set('b', 4).version).toBe(3);
  });

  it('knows a commit that was done although its answer was lost', async () => {
    const { state, settle, faults } = await makeWorld(env, [
      { on: 'commit', nth: 1, when: 'after', fault: 'fail' },
    ]);

    const entry = state.set('a', 1);
    await settle();
    const next = state.set('a', 2);
    await settle();

    expect(await Promise.all([outcome(entry.durable), outcome(next.durable)])).toEqual([
      'safe',
      'safe',
    ]);
    expect(told(state.history('a'))).toEqual(['1 set 1', '2 set 2']);
    expect(faults).toEqual([]);
  });

  it('rolls back what was written while the store was failing', async () => {
    let state!: StateManager;
    let during: StateVersion | undefined;
    const where = () => {
      during ??= state.set('b', 'built on a');
      return true;
    };
    const world = await makeWorld(env, [
      { on: 'commit', nth: 1, where, when: 'before', fault: 'fail' },
    ]);
    state = world.state;

    state.set('a', 1);
    await world.settle();

    expect(told(state.history('b'))).toEqual(['1 set "built on a"', '2 rolled-back undefined']);
    expect(await outcome(during?.durable as Promise<void>)).toBe('TELLASK_STATE_NOT_DURABLE');
  });

  it('takes the value of another process that was faster', async () => {
    const { state, inner, settle } = await makeWorld(env);
    state.set('a', 'mine');
    state.set('b', 'mine');
    await settle();
    const theirs = { value: 'theirs', version: 9, revision: 9, action: 'set', actor: 'x', at: 1 };
    await inner.commit([
      { key: 'state/a', value: JSON.stringify(theirs) },
      { key: 'state/b', value: undefined },
    ]);

    const mine = state.set('a', 'mine again');
    state.set('b', 'mine again');
    await settle();
    const after = state.set('a', 'after');
    await settle();

    expect(told(state.history('a'))).toEqual([
      '1 set "mine"',
      '2 set "mine again"',
      '10 rolled-back "theirs"',
      '11 set "after"',
    ]);
    expect(told(state.history('b')).at(-1)).toBe('3 rolled-back undefined');
    expect(state.getVersion('a', 10).value).toBe('theirs');
    expect(() => state.getVersion('a', 5)).toThrow('no longer kept');
    expect(await mine.durable.catch((error) => error.cause)).toMatchObject({
      code: 'TELLASK_STORE_CONFLICT',
    });
    expect(await outcome(after.durable)).toBe('safe');
  });

  it('does not write over another process when it looks what became of a commit', async () => {
    const { state, inner, settle } = await makeWorld(env, [
      { on: 'commit', nth: 1, when: 'before', fault: 'fail' },
      { on: 'get', nth: 1, when: 'before', fault: 'fail' },
    ]);
    const theirs = { value: 'theirs', version: 9, revision: 9, action: 'set', actor: 'x', at: 1 };
    await inner.commit([{ key: 'state/a', value: JSON.stringify(theirs) }]);

    state.set('a', 'mine');
    await settle();

    expect(state.get('a')?.value).toBe('theirs');
    const stored = await inner.get('state/a');
    expect(JSON.parse(stored?.value ?? '')).toMatchObject({ value: 'theirs', version: 10 });
  });

  it('does not go on trying by itself, and says so once', async () => {
    let tries = 0;
    const where = () => ++tries > 0;
    const { state, settle, faults } = await makeWorld(env, [
      { on: 'commit', where, when: 'before', fault: 'fail' },
    ]);

    state.set('a', 1);
    await settle();

    expect(told(state.history('a'))).toEqual(['1 set 1', '2 rolled-back undefined']);
    expect(tries).toBe(2);
    expect(faults).toHaveLength(1);
    expect(state.metrics().pending).toBe(1);
    const flush = outcome(state.flushed());
    await settle();
    expect(await flush).toBe('TELLASK_STATE_NOT_DURABLE');
    expect(tries).toBe(3);
  });

  it('overwrites what may be there when nobody could find out', async () => {
    const { state, inner, settle } = await makeWorld(env, [
      { on: 'commit', nth: 1, when: 'after', fault: 'fail' },
      { on: 'get', nth: 1, when: 'before', fault: 'fail' },
    ]);

    const failed = state.set('a', 1);
    await settle();

    expect(await failed.durable.catch((error) => error)).toMatchObject({ mayBeStored: true });
    expect(await outcome(state.flushed())).toBe('safe');
    const later = await reopen(inner);
    expect(later.has('a')).toBe(false);
    expect(later.set('a', 1).version).toBe(3);
  });
});

describe('a state whose store goes on failing', () => {
  // R:K8
  it('tries less and less often for one who writes again whatever is rolled back', async () => {
    let tries = 0;
    const isFailing = () => ++tries <= 9;
    const sim = new SimEnv();
    const { state, inner, faults } = await makeWorld(
      'simulated',
      [{ on: 'commit', where: isFailing, when: 'before', fault: 'fail' }],
      { env: sim },
    );
    void (async () => {
      for await (const { action } of state.watch('a')) {
        if (action === 'rolled-back') state.set('a', 'once more');
      }
    })();

    state.set('a', 'first');
    await sim.settle();
    const atOnce = tries;
    const [label, ...none] = sim.pendingTimers();
    await sim.advance(100 + 200 + 400 + 800 + 1_600 + 3_200 - 1);
    const before = tries;
    await sim.advance(1);
    await sim.settle();

    expect([atOnce, before, tries]).toEqual([3, 8, 9]);
    expect(JSON.stringify(label)).toContain('state store retry');
    expect(none).toEqual([]);
    expect(faults).toHaveLength(1);
    await sim.advance(6_400);
    expect(sim.pendingTimers()).toEqual([]);
    expect((await inner.get('state/a'))?.value).toContain('once more');
    expect((await inner.read()).length).toBe(1);
    expect(state.metrics().pending).toBe(0);
  });

  it('does not wait when it is asked for, or closed', async () => {
    let tries = 0;
    const { state, settle } = await makeWorld('simulated', [
      { on: 'commit', where: () => ++tries > 0, when: 'before', fault: 'fail' },
    ]);
    for (let n = 0; n < 4; n++) {
      state.set('a', n);
      void state.flushed().catch(() => {});
      await settle();
    }
    const asked = tries;
    state.set('a', 'waits');
    await settle();
    const waits = tries;
    const closing = state.close();
    await settle();

    expect(asked).toBeGreaterThanOrEqual(4);
    expect(waits).toBe(asked);
    expect(await closing).toEqual({ unsaved: ['a'] });
    expect(tries).toBe(asked + 2);
  });
});

describe('closing a state with a store', () => {
  it('leaves no timer behind when the store hangs', async () => {
    const env = new SimEnv();
    const { state } = await makeWorld(
      'simulated',
      [{ on: 'commit', when: 'before', fault: 'hang' }],
      { env },
    );
    state.set('a', 1);
    await env.settle();

    const closing = state.close({ timeoutMs: 1_000 });
    await env.advance(1_000);

    expect(await closing).toEqual({ unsaved: ['a'] });
    expect(env.pendingTimers()).toEqual([]);
  });

  it('waits for the store, and refuses writes meanwhile', async () => {
    const { state, inner, settle } = await makeWorld('simulated');
    const entry = state.set('a', 1);

    const closing = state.close();
    expect(() => state.set('a', 2)).toThrow('closed');
    await settle();

    expect(await closing).toEqual({ unsaved: [] });
    expect(await outcome(entry.durable)).toBe('safe');
    expect((await inner.scan('state/')).map(({ key }) => key)).toEqual(['state/a']);
  });

  it('says in time what a store that hangs does not have', async () => {
    const env = new SimEnv();
    const { state, faults } = await makeWorld(
      'simulated',
      [{ on: 'commit', when: 'before', fault: 'hang' }],
      { env },
    );
    state.set('b', 1);
    await env.settle();
    for (let i = 0; i < 3; i++) state.set('a', i);

    await env.advance(10_000);
    const closing = state.close({ timeoutMs: 1_000 });
    await env.advance(1_000);

    expect(await closing).toEqual({ unsaved: ['a', 'b'] });
    expect(faults).toMatchObject([{ code: 'TELLASK_STATE_STALLED', pending: 2 }]);
    expect(env.pendingTimers()).toEqual([]);
  });

  it('closes nothing when it is asked in a way that makes no sense', async () => {
    const { state, settle } = await makeWorld('simulated');

    expect(() => state.close({ timeoutMs: -1 })).toThrow('timeoutMs');
    expect(() => state.close({ timeout: 1 } as never)).toThrow('timeout');
    state.set('a', 1);
    const closing = state.close();
    await settle();

    expect(await closing).toEqual({ unsaved: [] });
  });

  it('shows those who watch what is rolled back meanwhile', async () => {
    const { state, settle } = await makeWorld('simulated', [
      { on: 'commit', nth: 1, when: 'before', fault: 'fail' },
    ]);
    const seen: StateVersion[] = [];
    const watching = (async () => {
      for await (const version of state.watch('**')) seen.push(version);
    })();
    state.set('a', 1);

    const closing = state.close();
    await settle();
    await watching;

    expect(await closing).toEqual({ unsaved: [] });
    expect(told(seen)).toEqual(['1 set 1', '2 rolled-back undefined']);
  });
});

describe('what expires in a state with a store', () => {
  it('expires after a restart, too, and does not come back when the store fails', async () => {
    const first = new SimEnv();
    const { inner, state } = await makeWorld('simulated', [], { env: first });
    state.set('a', 1, { ttlMs: 1_000 });
    await first.settle();
    const env = new SimEnv();
    const store = faultyStore(inner, [{ on: 'commit', when: 'before', fault: 'fail' }]);
    const later = await StateManager.open({ store, env });

    await env.advance(999);
    const before = later.has('a');
    await env.advance(5_000);

    expect(before).toBe(true);
    expect(told(later.history('a'))).toEqual([
      '1 set 1',
      '2 expired undefined',
      '3 rolled-back undefined',
    ]);
    expect(later.metrics().pending).toBe(1);
  });
});

describe('StateManager.open', () => {
  it('takes what is there to what the contract wants today', async () => {
    const { inner, state, settle } = await makeWorld('simulated');
    state.set('doc.1', { text: 'old' });
    state.set('draft.1', 'no longer wanted');
    await settle();
    const contract = defineContract({
      state: {
        'doc.{id}': z.object({ content: z.string(), tags: z.array(z.string()).default([]) }),
      },
    });

    const refused = await StateManager.open({ store: inner, contract, env: new SimEnv() }).catch(
      (error) => error.code,
    );
    const env = new SimEnv();
    const opening = StateManager.open({
      store: inner,
      contract,
      env,
      migrate: ({ key, value }) =>
        key.startsWith('doc.') ? { content: (value as { text: string }).text } : undefined,
    });
    await env.settle();
    const migrated = await opening;

    expect(refused).toBe('TELLASK_VALIDATION');
    expect(migrated.get('doc.1')).toMatchObject({
      value: { content: 'old', tags: [] },
      version: 2,
      action: 'migrated',
    });
    const again = await StateManager.open({ store: inner, contract, env: new SimEnv() });
    expect(again.get('doc.1')?.version).toBe(2);
    expect(again.list()).toHaveLength(1);
  });

  it.each([
    ['no JSON', 'state/a', '{'],
    ['no object', 'state/a', '1'],
    ['no version', 'state/a', '{"value":1}'],
    ['a bad key', 'state/a b', '{"version":1,"revision":1,"action":"set","actor":"$host","at":1}'],
    [
      'an action that nobody knows',
      'state/a',
      '{"version":1,"revision":1,"action":"toString","actor":"$host","at":1}',
    ],
    [
      'a key that objects may not have',
      'state/a',
      '{"value":{"__proto__":1},"version":1,"revision":1,"action":"set","actor":"x","at":1}',
    ],
    ['a bad floor', 'state/', '{"version":-1}'],
  ])('refuses %s', async (_what, key, value) => {
    const store = new MemoryStore();
    await store.commit([{ key, value }]);

    const error = await reopen(store).catch((reason) => reason);

    expect(error).toMatchObject({ code: 'TELLASK_STATE_STORED', storeKey: key });
  });

  it('refuses a prefix that is none', async () => {
    const store = new MemoryStore();

    for (const prefix of ['', 'state', `${'x'.repeat(256)}/`]) {
      await expect(reopen(store, { prefix })).rejects.toThrow(/prefix|character/);
    }
  });
});
