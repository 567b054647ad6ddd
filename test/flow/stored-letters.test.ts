import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BusOptions,
  type DeadLetterOptions,
  MemoryStore,
  MessageBus,
  type Store,
} from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { createTestBus, faultyStore } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, outcomeOf } from './books.ts';

const fail = (): never => {
  throw new Error('broken');
};
const keysOf = async (store: Store): Promise<string[]> =>
  (await store.scan('')).map(({ key }) => key);
const payloadsOf = (bus: MessageBus): unknown[] =>
  bus.deadLetters.list().map(({ message }) => message.payload);

/** Some processes one after the other, or side by side, that share a store. */
function processes(env: 'real' | 'simulated', store: Store, options: DeadLetterOptions = {}) {
  const shared = env === 'simulated' ? { env: new SimEnv() } : {};
  const given: BusOptions = { ...shared, deadLetters: { store, ...options } };
  const settle = async (): Promise<void> => {
    if (shared.env !== undefined) await shared.env.settle();
    else for (let turn = 0; turn < 5; turn += 1) await new Promise((go) => setImmediate(go));
  };
  return { make: (more: BusOptions = {}) => new MessageBus({ ...given, ...more }), settle };
}

describe.each(['real', 'simulated'] as const)('letters in a store, on the %s Env', (env) => {
  // R:J2 R:J4
  it('say how a message was said that was to leave when the bus closed', async () => {
    const store = new MemoryStore();
    const { make } = processes(env, store);
    const bus = make();
    bus.register('a').subscribe('**', () => {});
    bus.publish('said.to-all', 1, { delayMs: 60_000 });
    bus.send('a', 'said.to-one', 1, { delayMs: 60_000 });

    await bus.close();

    const records = (await store.scan('')).map(({ value }) => JSON.parse(value).action);
    expect(records).toEqual(['publish', 'send']);
  });

  it('are found by the next process, which redrives them to who has the name of the subscriber', async () => {
    const store = new MemoryStore();
    const { make, settle } = processes(env, store);
    const first = make();
    first.register('w');
    first.register('a').subscribe('x.*', fail);
    first.register('b').serve('q', fail);
    const said = first.publish('x.1', { n: 1 }, { headers: { trace: '7' }, ttlMs: 60_000 });
    void first.request('q', 'asked').catch(() => {});
    expect(() => first.send('late', 'y', 'sent')).toThrow(/late/);
    await settle();
    const left = first.deadLetters.list();
    expect(await first.close()).toMatchObject({ unsavedLetters: 0 });

    const second = make();
    const log: unknown[] = [];
    second.subscribe('x.*', () => void log.push('not for me'));
    second.register('a').subscribe('x.*', (message) => {
      const { causationId, headers, expiresAt, sentAt, payload } = message;
      log.push([causationId, headers['trace'], (expiresAt ?? 0) - sentAt, payload]);
    });
    second.register('b').serve('q', ({ payload }) => void log.push(payload));
    second.register('late').subscribe('y', ({ payload }) => void log.push(payload));
    expect(await second.deadLetters.load()).toBe(3);
    const found = second.deadLetters.list();
    expect(found.every(({ saved }) => saved)).toBe(true);
    await second.deadLetters.redrive();
    await settle();

    const plain = (letters: readonly unknown[]): string[] =>
      letters.map((letter) => JSON.stringify(letter)).sort();
    expect(plain(found).map(shape)).toEqual(plain(left).map(shape));
    expect(log.map((line) => JSON.stringify(line)).sort()).toEqual(
      [[said.id, '7', 60_000, { n: 1 }], 'asked', 'sent']
        .map((line) => JSON.stringify(line))
        .sort(),
    );
    await second.deadLetters.flushed();
    expect(await keysOf(store)).toEqual([]);
    expectBalanced(second);
  });

  it('are written in groups, under the name of the bus', async () => {
    const store = new MemoryStore();
    const { make, settle } = processes(env, store, { name: 'orders' });
    const bus = make();
    bus.register('a', { capacity: 1, overflow: 'drop-newest' }).pause();
    for (let n = 0; n < 50; n += 1) bus.publish('nobody', n);
    const agent = bus.register('b');
    agent.subscribe('x', fail);
    for (let n = 0; n < 250; n += 1) bus.send('b', 'unhandled', n);
    expect(bus.inspect().unsavedLetters).toBe(250);

    expect(await bus.deadLetters.flushed()).toBe(true);
    await settle();

    const keys = await keysOf(store);
    expect(keys).toHaveLength(250);
    expect(keys.every((key) => key.startsWith('letter/orders/'))).toBe(true);
    expect((await store.read()).length).toBe(3);
    expect(bus.inspect().unsavedLetters).toBe(0);
  });

  it('are deleted when they are purged, and when they make room', async () => {
    const store = new MemoryStore();
    const { make } = processes(env, store, { maxLetters: 3 });
    const bus = make();
    bus.register('a').subscribe('x', fail);
    for (let n = 1; n <= 5; n += 1) bus.send('a', 'y', n);
    await bus.deadLetters.flushed();
    expect(await keysOf(store)).toHaveLength(3);
    bus.send('a', 'y', 6);
    await bus.deadLetters.flushed();
    expect(await keysOf(store)).toHaveLength(3);

    bus.deadLetters.purge();
    await bus.deadLetters.flushed();

    expect(await keysOf(store)).toEqual([]);
    expect(bus.inspect().unsavedLetters).toBe(0);
  });

  // R:J3 F:E4
  it('are redriven by one of two processes', async () => {
    const store = new MemoryStore();
    const { make, settle } = processes(env, store);
    const first = make();
    let broken = true;
    const handled: string[] = [];
    const listen = (bus: MessageBus, name: string): void => {
      bus.register('a').subscribe('x', ({ payload }) => {
        if (broken) fail();
        handled.push(`${name} ${payload}`);
      });
    };
    listen(first, 'first');
    for (const n of [1, 2, 3]) first.publish('x', n);
    await settle();
    await first.deadLetters.flushed();
    const second = make();
    listen(second, 'second');
    await second.deadLetters.load();
    broken = false;

    const passes = [first.deadLetters.redrive(), second.deadLetters.redrive()];
    await settle();
    const [one, other] = await Promise.all(passes);
    await settle();

    const ids = [...(one?.redriven ?? []), ...(other?.redriven ?? [])];
    expect(new Set(ids).size).toBe(3);
    expect(ids).toHaveLength(3);
    expect(handled).toHaveLength(3);
    const skipped = [...(one?.skipped ?? []), ...(other?.skipped ?? [])];
    expect(skipped.map(({ why }) => why)).toEqual(['claimed', 'claimed', 'claimed']);
    expect([first.deadLetters.size, second.deadLetters.size]).toEqual([0, 0]);
  });

  it('stay in memory when their payload is no JSON, which is told', async () => {
    const store = new MemoryStore();
    const faults: unknown[] = [];
    const { make, settle } = processes(env, store);
    const bus = make({ onFault: (error) => faults.push(error) });
    bus.subscribe('x', fail);
    for (const payload of [new Date(0), 1n, [Number.NaN], { f: () => 1 }, [undefined]]) {
      bus.publish('x', payload);
    }
    for (const payload of [undefined, null, { a: undefined, b: [1, 'x', true] }]) {
      bus.publish('x', payload);
    }

    await settle();
    expect(await bus.deadLetters.flushed()).toBe(true);

    expect(bus.deadLetters.list().map(({ saved }) => saved)).toEqual([
      ...Array.from({ length: 5 }, () => false),
      ...Array.from({ length: 3 }, () => true),
    ]);
    expect(faults).toHaveLength(5);
    expect(faults[0]).toMatchObject({ code: 'TELLASK_LETTER_STORE' });
    expect(await bus.close()).toMatchObject({ unsavedLetters: 5 });
  });

  // R:E7
  it('hold no secrets, and can then be redriven by their own process alone', async () => {
    const store = new MemoryStore();
    const { make, settle } = processes(env, store);
    const first = make();
    let broken = true;
    const heard: unknown[] = [];
    const handle = ({ payload }: { readonly payload: unknown }): void => {
      if (broken) fail();
      heard.push(payload);
    };
    first.register('a').subscribe('x', handle);
    first.publish('x', { nested: [{ apiKey: 'canary' }] });
    first.publish('x', 1, { headers: { authorization: 'canary' } });
    await settle();
    await first.deadLetters.flushed();
    const stored = JSON.stringify(store);
    const second = make();
    second.register('a').subscribe('x', handle);
    await second.deadLetters.load();
    broken = false;

    const { skipped } = await second.deadLetters.redrive();
    await first.deadLetters.redrive();
    await settle();

    expect(stored).toContain('[redacted]');
    expect(stored).not.toContain('canary');
    expect(skipped.map(({ why }) => why)).toEqual(['redacted', 'redacted']);
    expect(heard).toEqual([{ nested: [{ apiKey: 'canary' }] }, 1]);
  });

  it('hold all as it is with secrets: keep', async () => {
    const store = new MemoryStore();
    const { make, settle } = processes(env, store, { secrets: 'keep' });
    const first = make();
    first.subscribe('x', fail);
    first.publish('x', { token: 'canary' });
    await settle();
    await first.close();
    const second = make();
    const heard: unknown[] = [];
    second.subscribe('x', ({ payload }) => void heard.push(payload));

    await second.deadLetters.load();
    await second.deadLetters.redrive();
    await settle();

    expect(heard).toEqual([{ token: 'canary' }]);
  });

  it('are left in the store when there is no room, or when they cannot be read', async () => {
    const store = new MemoryStore();
    const { make, settle } = processes(env, store);
    const first = make();
    first.subscribe('x', fail);
    for (const n of [1, 2, 3]) first.publish('x', n);
    await settle();
    await first.close();
    await store.commit([
      { key: 'letter/default/odd', value: '{"format":1}' },
      { key: 'letter/default/text', value: 'no JSON' },
    ]);
    const faults: string[] = [];
    const second = make({
      deadLetters: { store, maxLetters: 2 },
      onFault: (error) => faults.push((error as Error).message),
    });

    expect(await second.deadLetters.load()).toBe(2);
    expect(await second.deadLetters.load()).toBe(0);

    expect(second.inspect()).toMatchObject({ letters: 2, evictedLetters: 0 });
    expect(await keysOf(store)).toHaveLength(5);
    expect(faults[0]).toBe('2 letters cannot be read');
  });

  it.each([
    [{ store: {} }],
    [{ store: 1 }],
    [{ name: 'a/b' }],
    [{ name: '' }],
    [{ secrets: 'hide' }],
    [{ storeTimeoutMs: -1 }],
    [{ retentionMs: -1 }],
    [{ stor: 1 }],
  ])('refuses options that make no sense: %o', (deadLetters) => {
    expect(() => makeBus(env, { deadLetters: deadLetters as never })).toThrow(/must be|no option/);
  });

  it('cannot be loaded without a store, and are flushed at once', async () => {
    const { bus } = makeBus(env);
    await expect(bus.deadLetters.load()).rejects.toThrow(TypeError);
    expect(await bus.deadLetters.flushed()).toBe(true);
    expect(await bus.close()).toMatchObject({ unsavedLetters: 0 });
  });
});

/** What counts of a letter as JSON: the wall clock of a real Env is rounded. */
function shape(json: string): unknown {
  const { message, ...letter } = JSON.parse(json) as { message: Record<string, unknown> };
  const { sentAt, expiresAt, ...rest } = message;
  expect(typeof sentAt).toBe('number');
  return { ...letter, message: rest, expires: expiresAt !== undefined };
}

const never = (): Promise<never> => new Promise(() => {});

/** A store whose calls are as `how` says until it is repaired. */
function breakable(inner: Store) {
  let how: 'works' | 'rejects' | 'throws' | 'hangs' | 'forgets' = 'works';
  let calls = 0;
  const through = <T>(work: () => Promise<T>): Promise<T> => {
    calls += 1;
    if (how === 'throws') throw new Error('store throws');
    if (how === 'rejects') return Promise.reject(new Error('store rejects'));
    if (how === 'hangs') return never();
    // It is done, and nobody is told.
    if (how === 'forgets') return work().then(() => Promise.reject(new Error('lost answer')));
    return work();
  };
  const store: Store = {
    get: (key) => through(() => inner.get(key)),
    scan: (prefix, options) => through(() => inner.scan(prefix, options)),
    read: (options) => through(() => inner.read(options)),
    commit: (writes) => through(() => inner.commit(writes)),
    close: () => inner.close(),
  };
  return {
    store,
    get calls() {
      return calls;
    },
    become: (state: typeof how): void => {
      how = state;
    },
  };
}

describe('letters of other times', () => {
  it('are loaded once, into the order of death, and not when they are too old', async () => {
    const store = new MemoryStore();
    const env = new SimEnv();
    const options = { env, deadLetters: { store, retentionMs: 1_000 } };
    const [first, second] = [new MessageBus(options), new MessageBus(options)];
    for (const bus of [first, second]) bus.subscribe('x', fail);
    first.publish('x', 'too old');
    await env.advance(500);
    first.publish('x', 1);
    await env.advance(500);
    second.publish('x', 2);
    await env.settle();

    await second.deadLetters.load();
    await second.deadLetters.load();

    expect(payloadsOf(second)).toEqual([1, 2]);
    await env.settle();
    expect(await keysOf(store)).toHaveLength(2);
  });
});

describe('a store of letters that fails', () => {
  // R:J4
  it.each(['rejects', 'throws', 'hangs', 'forgets'] as const)(
    'loses nothing when it %s, is told of once, and is tried again',
    async (how) => {
      const inner = new MemoryStore();
      const broken = breakable(inner);
      const faults: unknown[] = [];
      const t = createTestBus({
        deadLetters: { store: broken.store, storeTimeoutMs: 1_000 },
        onFault: (error) => faults.push(error),
      });
      t.bus.subscribe('x', fail);
      broken.become(how);

      for (const n of [1, 2, 3]) {
        t.bus.publish('x', n);
        await t.clock.advance(1_500);
      }
      expect(t.bus.inspect()).toMatchObject({ letters: 3, unsavedLetters: 3 });
      const safe = outcomeOf(t.bus.deadLetters.flushed());
      broken.become('works');
      await t.clock.advance(20_000);

      expect(safe.now()).toEqual({ value: true });
      expect(faults).toHaveLength(1);
      expect(faults[0]).toMatchObject({ code: 'TELLASK_LETTER_STORE' });
      expect(await keysOf(inner)).toHaveLength(3);
      expect(payloadsOf(t.bus)).toEqual([1, 2, 3]);
      const now = t.clock.nowMs;
      await t.run();
      expect(t.clock.nowMs).toBe(now);
    },
  );

  // R:J4
  it('is left alone after ten tries until something is added or asked for', async () => {
    const broken = breakable(new MemoryStore());
    const t = createTestBus({ deadLetters: { store: broken.store } });
    t.bus.subscribe('x', fail);
    broken.become('rejects');
    t.bus.publish('x', 1);
    const safe = outcomeOf(t.bus.deadLetters.flushed());

    await t.run();

    expect(broken.calls).toBe(10);
    expect(safe.now()).toEqual({ value: true });
    const again = outcomeOf(t.bus.deadLetters.flushed());
    broken.become('works');
    await t.settle();
    expect(again.now()).toEqual({ value: true });
    expect(broken.calls).toBe(11);
  });

  // R:J4
  it.each(['rejects', 'hangs'] as const)(
    'does not keep the bus from closing in time when it %s',
    async (how) => {
      const broken = breakable(new MemoryStore());
      const env = new SimEnv();
      const bus = new MessageBus({ env, deadLetters: { store: broken.store } });
      bus.subscribe('x', fail);
      broken.become(how);
      for (const n of [1, 2]) bus.publish('x', n);
      await env.settle();

      const closed = outcomeOf(bus.close({ timeoutMs: 3_000 }));
      await env.advance(3_000);

      expect(closed.now()).toMatchObject({ value: { drained: true, unsavedLetters: 2 } });
      expect(env.pendingTimers()).toEqual([]);
      expect(bus.deadLetters.size).toBe(2);
      expect(await bus.deadLetters.flushed()).toBe(false);
    },
  );

  // R:J3 R:J4
  it('lets no letter out while it cannot be claimed, and lets it out once it can', async () => {
    const broken = breakable(new MemoryStore());
    const t = createTestBus({ deadLetters: { store: broken.store, storeTimeoutMs: 100 } });
    let works = false;
    const heard: unknown[] = [];
    t.bus.subscribe('x', ({ payload }) => void (works ? heard.push(payload) : fail()));
    t.bus.publish('x', 1);
    await t.settle();
    works = true;
    const reasons: string[] = [];

    for (const how of ['rejects', 'hangs', 'forgets', 'works'] as const) {
      broken.become(how);
      // What became of an earlier try is known again once the store has answered.
      if (how === 'works') await t.clock.advance(20_000);
      const pass = t.bus.deadLetters.redrive();
      await t.clock.advance(100);
      const { skipped, redriven } = await pass;
      reasons.push(skipped[0]?.why ?? `redriven ${redriven.length}`);
    }
    await t.settle();

    expect(reasons).toEqual(['store', 'store', 'store', 'redriven 1']);
    expect(heard).toEqual([1]);
    expect(t.bus.deadLetters.size).toBe(0);
    expectBalanced(t.bus);
  });

  it('gets back what was claimed and could not be sent', async () => {
    const store = new MemoryStore();
    const env = new SimEnv();
    const bus = new MessageBus({ env, deadLetters: { store } });
    const agent = bus.register('a');
    const subscription = agent.subscribe('x', fail);
    bus.publish('x', 1);
    await env.settle();
    const before = await keysOf(store);

    const pass = bus.deadLetters.redrive();
    subscription.unsubscribe();
    await env.settle();

    expect((await pass).skipped).toMatchObject([{ why: 'no-subscriber' }]);
    expect(await keysOf(store)).toEqual(before);
    expect(bus.deadLetters.list()).toMatchObject([{ saved: true }]);
  });

  it('overwrites no letter of another bus whose ids are the same', async () => {
    const store = new MemoryStore();
    const faults: string[] = [];
    const onFault = (error: unknown): void => void faults.push((error as Error).message);
    // Each on an Env of its own: both call themselves the first.
    const [one, other] = [1, 2].map(() => createTestBus({ deadLetters: { store }, onFault }));
    for (const t of [one, other]) {
      t?.bus.subscribe('x', fail);
      t?.bus.publish('x', t === one ? 'one' : 'other');
      await t?.settle();
    }

    expect(faults).toEqual([expect.stringMatching(/stays in memory: another one has its key/)]);
    expect(JSON.stringify(store)).not.toContain('other');
    expect(other?.bus.deadLetters.list()).toMatchObject([{ saved: false }]);
  });

  it('is content when another process was faster with what is to be deleted', async () => {
    const store = new MemoryStore();
    const faults: unknown[] = [];
    const t = createTestBus({ deadLetters: { store }, onFault: (error) => faults.push(error) });
    t.bus.subscribe('x', fail);
    for (const n of [1, 2, 3]) t.bus.publish('x', n);
    await t.settle();
    const [first] = await keysOf(store);
    await store.commit([{ key: first ?? '', value: undefined }]);

    t.bus.deadLetters.purge();
    expect(await t.bus.deadLetters.flushed()).toBe(true);

    expect(await keysOf(store)).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('gets no letter that is purged while it is written, and none that was never written', async () => {
    const store = new MemoryStore();
    const t = createTestBus({ deadLetters: { store } });
    t.bus.register('a').subscribe('x', fail);
    t.bus.send('a', 'y', 'being written');
    await undefined;
    t.bus.send('a', 'y', 'not yet');
    t.bus.deadLetters.purge();

    expect(await t.bus.deadLetters.flushed()).toBe(true);

    expect(await keysOf(store)).toEqual([]);
    expect(t.bus.inspect()).toMatchObject({ letters: 0, unsavedLetters: 0 });
  });

  it('ends a pass that waits for it when the bus closes', async () => {
    const broken = breakable(new MemoryStore());
    const env = new SimEnv();
    const bus = new MessageBus({ env, deadLetters: { store: broken.store } });
    bus.subscribe('x', fail);
    for (const n of [1, 2]) bus.publish('x', n);
    await env.settle();
    broken.become('hangs');

    const pass = outcomeOf(bus.deadLetters.redrive());
    const closed = outcomeOf(bus.close({ timeoutMs: 2_000 }));
    await env.advance(2_000);

    expect(pass.now()).toMatchObject({
      value: { redriven: [], skipped: [{ why: 'store' }, { why: 'stopped' }] },
    });
    expect(closed.now()).toMatchObject({ value: { unsavedLetters: 1 } });
    expect(env.pendingTimers()).toEqual([]);
  });

  // R:J3 R:J4
  it('is not written to beside a claim: what was doubted is claimed in the version it has', async () => {
    const inner = new MemoryStore();
    const fates: ((go: boolean) => void)[] = [];
    let slow = false;
    const store: Store = {
      get: (key) => inner.get(key),
      scan: (prefix, options) => inner.scan(prefix, options),
      read: (options) => inner.read(options),
      close: () => inner.close(),
      commit: async (writes) => {
        const goes = slow ? await new Promise<boolean>((resolve) => fates.push(resolve)) : true;
        if (!goes) throw new Error('refused');
        return inner.commit(writes);
      },
    };
    const t = createTestBus({ deadLetters: { store } });
    let works = false;
    t.bus.subscribe('x', () => (works ? undefined : fail()));
    t.bus.publish('x', 1);
    await t.settle();
    [works, slow] = [true, true];

    const first = t.bus.deadLetters.redrive();
    await t.settle();
    fates.shift()?.(false); // the claim
    await t.settle();
    fates.shift()?.(false); // the letter, written again
    await first;
    const second = t.bus.deadLetters.redrive();
    await t.clock.advance(1_000); // its next try is due, while the claim is under way
    const under = fates.length;
    for (let n = 0; n < 5; n += 1) {
      fates.shift()?.(true);
      await t.settle();
    }

    expect(under).toBe(1);
    expect((await second).redriven).toHaveLength(1);
    expect(await keysOf(inner)).toEqual([]);
    expect(t.bus.inspect()).toMatchObject({ letters: 0, handled: 1 });
  });

  // R:J4
  it('sends what it finds gone after a claim of its own whose answer was lost', async () => {
    const store = faultyStore(new MemoryStore(), [
      { on: 'commit', nth: 2, when: 'after', fault: 'fail' }, // the claim
      { on: 'commit', nth: 3, when: 'before', fault: 'fail' }, // the letter, written again
    ]);
    const t = createTestBus({ deadLetters: { store } });
    let works = false;
    t.bus.subscribe('x', () => (works ? undefined : fail()));
    t.bus.publish('x', 1);
    await t.settle();
    works = true;

    const [first] = (await t.bus.deadLetters.redrive()).skipped;
    await t.settle();
    const { redriven } = await t.bus.deadLetters.redrive();
    await t.run();

    expect(first).toMatchObject({ why: 'store' });
    expect(redriven).toHaveLength(1);
    expect(t.bus.inspect()).toMatchObject({ letters: 0, handled: 1 });
    expect(await keysOf(store)).toEqual([]);
  });

  it('rejects load, and what is there stays', async () => {
    const broken = breakable(new MemoryStore());
    const t = createTestBus({ deadLetters: { store: broken.store, storeTimeoutMs: 100 } });
    broken.become('hangs');
    const loading = outcomeOf(t.bus.deadLetters.load());
    await t.clock.advance(100);
    expect(loading.now()).toMatchObject({ error: { code: 'TELLASK_LETTER_STORE' } });
  });

  // R:J4
  it('loses no letter, whatever fails on the way: at the end each is handled, in memory, or in the store', async () => {
    const faultAt = fc.record({
      nth: fc.integer({ min: 1, max: 12 }),
      when: fc.constantFrom('before' as const, 'after' as const),
      fault: fc.constantFrom('fail' as const, 'hang' as const),
    });
    const steps = fc.array(fc.constantFrom('die', 'die', 'redrive', 'wait'), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(faultAt, { maxLength: 6 }), steps, async (faults, program) => {
        const inner = new MemoryStore();
        const planned = faults.map((fault) => ({ on: 'commit' as const, ...fault }));
        const store = faultyStore(inner, planned);
        const env = new SimEnv();
        const bus = new MessageBus({ env, deadLetters: { store, storeTimeoutMs: 50 } });
        const handled = new Set<unknown>();
        bus.register('a').subscribe('x', ({ payload, causationId }) => {
          if (causationId === undefined) fail();
          handled.add(payload);
        });
        let said = 0;
        for (const step of program) {
          if (step === 'die') said += 1;
          if (step === 'die') bus.publish('x', said);
          else if (step === 'redrive') void bus.deadLetters.redrive();
          await env.advance(step === 'wait' ? 200 : 0);
        }
        await env.advance(1_000);
        const closing = outcomeOf(bus.close());
        await env.advance(5_000);

        const kept = new Set(payloadsOf(bus));
        for (let n = 1; n <= said; n += 1) expect(handled.has(n) || kept.has(n)).toBe(true);
        expect(closing.now()).toMatchObject({ value: { unsavedLetters: 0 } });
        expect((await keysOf(inner)).length).toBeGreaterThanOrEqual(bus.deadLetters.size);
        expect(env.pendingTimers()).toEqual([]);
        expectBalanced(bus);
      }),
      { numRuns: 150 },
    );
  });

  // R:J3 F:E4
  it('lets each letter be sent by one process alone, however three of them take turns', async () => {
    const turn = fc.record({
      who: fc.integer({ min: 0, max: 2 }),
      what: fc.constantFrom('die', 'load', 'redrive', 'slowly', 'purge one', 'step'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 20 }), async (turns) => {
        const store = new MemoryStore();
        const env = new SimEnv();
        const sent: unknown[] = [];
        let purged = 0;
        let said = 0;
        const buses = [0, 1, 2].map(() => new MessageBus({ env, deadLetters: { store } }));
        for (const bus of buses) {
          bus.register('a').subscribe('x', ({ payload, causationId }) => {
            if (causationId === undefined) fail();
            sent.push(payload);
          });
        }
        for (const { who, what } of turns) {
          const bus = buses[who] as MessageBus;
          const { deadLetters } = bus;
          if (what === 'die') said += 1;
          if (what === 'die') bus.publish('x', said);
          if (what === 'load') void deadLetters.load();
          if (what === 'redrive') void deadLetters.redrive();
          if (what === 'slowly') void deadLetters.redrive({}, { rate: { limit: 1, perMs: 10 } });
          if (what === 'purge one')
            purged += deadLetters.purge({ id: deadLetters.list()[0]?.id ?? '' });
          if (what === 'step') await env.advance(5);
        }
        await env.advance(1_000);

        const kept = new Set(buses.flatMap((bus) => payloadsOf(bus)));
        expect(new Set(sent).size).toBe(sent.length);
        expect(new Set([...sent, ...kept]).size).toBeGreaterThanOrEqual(said - purged);
        for (const bus of buses) {
          expect(bus.inspect().unsavedLetters).toBe(0);
          expectBalanced(bus);
        }
        expect(env.pendingTimers()).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
