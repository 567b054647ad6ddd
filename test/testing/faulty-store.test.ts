import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/index.ts';
import { faultyStore, type StoreOperation, stopAtCommit } from '../../src/testing.ts';

const write = (value: string, key = 'a') => [{ key, value }];

/** What became of a promise by now. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  let state = 'pending';
  promise.then(
    () => {
      state = 'resolved';
    },
    (error: Error) => {
      state = `rejected: ${error.message}`;
    },
  );
  await new Promise((resolve) => setImmediate(resolve));
  return state;
}

const valueIn = async (store: MemoryStore): Promise<string | undefined> =>
  (await store.get('a'))?.value;

describe('a faulty store', () => {
  // R:J4
  it.each([
    ['before', 'fail', undefined, 'rejected: commit 2 failed before it was done, as planned', '1'],
    ['after', 'fail', undefined, 'rejected: commit 2 failed after it was done, as planned', '2'],
    ['after', 'fail', new Error('disk full'), 'rejected: disk full', '2'],
    ['before', 'hang', undefined, 'pending', '1'],
    ['after', 'hang', undefined, 'pending', '2'],
  ] as const)('goes wrong %s the effect: %s, %s', async (when, fault, error, state, value) => {
    const inner = new MemoryStore();
    const planned = { on: 'commit', nth: 2, when, fault } as const;
    const store = faultyStore(inner, [error === undefined ? planned : { ...planned, error }]);

    await store.commit(write('1'));

    expect(await stateOf(store.commit(write('2')))).toBe(state);
    expect(await valueIn(inner)).toBe(value);
    expect(await stateOf(store.commit(write('3')))).toBe('resolved');
  });

  it('goes wrong at the calls that a predicate chooses', async () => {
    const seen: StoreOperation[] = [];
    const where = (operation: StoreOperation): boolean => {
      seen.push(operation);
      return operation.writes.some(({ key }) => key === 'b');
    };
    const store = faultyStore(new MemoryStore(), [
      { on: 'commit', where, when: 'before', fault: 'fail' },
    ]);

    const states = [
      await stateOf(store.commit(write('1'))),
      await stateOf(store.commit(write('1', 'b'))),
      await stateOf(store.get('a')),
    ];

    expect(states.map((state) => state.slice(0, 8))).toEqual(['resolved', 'rejected', 'resolved']);
    expect(seen.map(({ call, nth }) => `${call} ${nth}`)).toEqual(['commit 1', 'commit 2']);
  });

  it('counts the calls of each name apart, and goes wrong at every one without nth', async () => {
    const store = faultyStore(new MemoryStore(), [
      { on: 'scan', nth: 1, when: 'before', fault: 'fail' },
      { on: 'get', when: 'after', fault: 'fail' },
    ]);

    const states = [store.get('a'), store.get('a'), store.scan(''), store.scan(''), store.read()];

    expect(await Promise.all(states.map(stateOf))).toEqual([
      'rejected: get 1 failed after it was done, as planned',
      'rejected: get 2 failed after it was done, as planned',
      'rejected: scan 1 failed before it was done, as planned',
      'resolved',
      'resolved',
    ]);
    await store.close();
    expect(await stateOf(store.read())).toMatch(/closed/);
  });

  it('is made with a list of faults', () => {
    expect(() => faultyStore(new MemoryStore(), {} as never)).toThrow(TypeError);
  });
});

describe('a store that stops at a commit', () => {
  // R:I5
  it.each([
    ['before', '1'],
    ['after', '2'],
  ] as const)('has the effect of the last commit when it stops %s it: %s', async (side, value) => {
    const inner = new MemoryStore();
    const store = stopAtCommit(inner, 2, side);
    await store.commit(write('1'));

    const last = store.commit(write('2'));
    await store.whenStopped;
    const later = [last, store.commit(write('3')), store.get('a'), store.close()];

    expect(await Promise.all(later.map(stateOf))).toEqual(Array(4).fill('pending'));
    expect(await valueIn(inner)).toBe(value);
    expect([store.stopped, store.commits]).toEqual([true, 2]);
  });

  it('tells nobody what was under way when it stopped', async () => {
    const store = stopAtCommit(new MemoryStore(), 1, 'before');

    const read = store.get('a');
    const refused = store.get('');
    const last = store.commit(write('1'));

    expect(await Promise.all([read, refused, last].map(stateOf))).toEqual(Array(3).fill('pending'));
  });

  it('counts commits and never stops at Infinity, and passes on what a store refuses', async () => {
    const store = stopAtCommit(new MemoryStore(), Infinity, 'after');
    await store.commit(write('1'));

    await expect(store.commit([{ key: 'a', value: '2', expectedVersion: 0 }])).rejects.toThrow(
      'a has',
    );

    expect([store.stopped, store.commits]).toEqual([false, 2]);
  });

  it.each([0, -1, 1.5, Number.NaN])('is not made to stop at commit %s', (n) => {
    expect(() => stopAtCommit(new MemoryStore(), n, 'before')).toThrow(RangeError);
  });
});
