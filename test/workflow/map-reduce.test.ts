import { describe, expect, it } from 'vitest';
import {
  CancelledError,
  type MapReduced,
  mapReduce,
  type WorkContext,
  WorkflowError,
  type WorkflowProgress,
  WorkflowTimeoutError,
} from '../../src/index.ts';
import { hang, outcomeOf } from '../flow/books.ts';
import { abortAt, brief, fails, inWords, World } from './tasks.ts';

const add = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const list = <T>(values: readonly T[]): readonly T[] => values;

/** Counts what is read of it. */
class Source implements AsyncIterable<number> {
  read = 0;
  closed = 0;
  readonly #length: number;
  readonly #at: (index: number) => unknown;

  /** `at` is waited for before each item. */
  constructor(length: number, at: (index: number) => unknown = () => undefined) {
    this.#length = length;
    this.#at = at;
  }

  [Symbol.asyncIterator](): AsyncIterator<number> {
    return {
      next: async () => {
        await this.#at(this.read);
        if (this.read === this.#length) return { done: true, value: undefined };
        return { done: false, value: this.read++ };
      },
      return: async () => {
        this.closed += 1;
        return { done: true, value: undefined };
      },
    };
  }
}

/** What became of a call when all has come to rest, and when that was. */
async function ran<T>(
  world: World,
  call: () => Promise<T>,
): Promise<{ value?: T; error?: unknown; at: number }> {
  let at = -1;
  const outcome = outcomeOf(
    call().finally(() => {
      at = world.env.now();
    }),
  );
  await world.env.run();
  return { ...(outcome.now() as { value?: T; error?: unknown }), at };
}

describe('mapReduce', () => {
  // R:F:F3
  it.each([1, 2, 3, 8, Infinity])(
    'reduces in the order of the items, %d at a time',
    async (concurrency) => {
      const world = new World();
      const map = (ms: number, work: WorkContext): Promise<string> =>
        world.task(`${ms}`, ms, () => `<${ms}>`)(work);

      const { value } = await ran(world, () =>
        mapReduce([3, 1, 2, 5, 4], { map, reduce: list, concurrency, env: world.env }),
      );

      expect(value).toEqual(['<3>', '<1>', '<2>', '<5>', '<4>']);
      expect(world.most).toBe(Math.min(concurrency, 5));
    },
  );

  it.each([
    [1, [[1], [2], [3], [4], [5]]],
    [2, [[1, 2], [3, 4], [5]]],
    [5, [[1, 2, 3, 4, 5]]],
    [9, [[1, 2, 3, 4, 5]]],
    [Infinity, [[1, 2, 3, 4, 5]]],
  ])('gives map chunks of %d', async (chunkSize, chunks) => {
    const seen = await mapReduce([1, 2, 3, 4, 5], { chunkSize, map: list, reduce: list });

    expect(seen).toEqual(chunks);
  });

  it.each<[string, Iterable<number> | AsyncIterable<number>]>([
    ['a list', [0, 1, 2]],
    ['a set', new Set([0, 1, 2])],
    ['a generator', [0, 1, 2].values()],
    ['an async iterable', new Source(3)],
  ])('reads %s', async (_what, items) => {
    expect(await mapReduce(items, { map: (n) => n, reduce: list })).toEqual([0, 1, 2]);
  });

  it('reduces nothing when there is nothing', async () => {
    expect(await mapReduce([], { map: (n: number) => n, reduce: add })).toBe(0);
    expect(await mapReduce(new Source(0), { map: (n) => n, reduce: add, mode: 'settle' })).toEqual({
      value: 0,
      failed: [],
      cancelled: [],
      reason: 'all',
    });
  });

  const odd = (n: number): number => (n % 2 === 1 ? fails(`no ${n}`)() : n);

  // R:F4
  it.each([
    ['all', { ok: { 0: 0, 2: 2 }, failed: ['1 no 1', '3 no 3'], cancelled: [] }],
    [
      'first-error',
      { ok: { 0: 0 }, failed: ['1 no 1'], cancelled: ['2 CANCELLED', '3 CANCELLED'] },
    ],
  ] as const)('keeps failures and results in the error of the mode %s', async (mode, expected) => {
    const error = await mapReduce([0, 1, 2, 3], {
      map: odd,
      reduce: add,
      mode,
      concurrency: 1,
    }).catch((reason) => reason);

    expect(error).toBeInstanceOf(WorkflowError);
    expect(brief(error as WorkflowError)).toEqual(expected);
    expect(error.failed[0]).toMatchObject({ items: [1] });
    expect(error.message).toMatch(/^mapReduce: task 1(,| failed)/);
  });

  it('reduces what succeeded in the mode settle, and keeps the rest with its items', async () => {
    const map = (chunk: readonly number[]): number => add(chunk.map(odd));

    const result = await mapReduce([0, 2, 1, 4, 6], {
      chunkSize: 2,
      map,
      reduce: add,
      mode: 'settle',
    });

    expect(result).toEqual({
      value: 8,
      failed: [{ task: 1, error: new Error('no 1'), items: [1, 4] }],
      cancelled: [],
      reason: 'all',
    });
  });

  it('takes what calls itself off for cancelled', async () => {
    const map = (): never => {
      throw new CancelledError('q', 'superseded');
    };

    const result = await mapReduce([7], { map, reduce: list, mode: 'settle' });

    expect(brief({ ok: result.value, ...result })).toEqual({
      ok: [],
      failed: [],
      cancelled: ['0 CANCELLED'],
    });
  });

  it.each([
    [1, 1],
    [1, 3],
    [2, 1],
    [3, 2],
  ])(
    'reads, with %d at a time in chunks of %d, one chunk ahead and no more',
    async (concurrency, chunkSize) => {
      const world = new World();
      const source = new Source(40);
      let most = 0;
      let mapped = 0;
      const map = async (chunk: readonly number[]): Promise<void> => {
        await world.sleep(5);
        most = Math.max(most, source.read - mapped);
        mapped += chunk.length;
      };

      await ran(world, () =>
        mapReduce(source, { map, reduce: () => 0, concurrency, chunkSize, env: world.env }),
      );

      expect(mapped).toBe(40);
      expect(most).toBe((concurrency + 1) * chunkSize);
    },
  );

  it('does not wait for a slow source with what has come', async () => {
    const world = new World();
    const source = new Source(3, () => world.sleep(10));
    const at: number[] = [];

    await ran(world, () =>
      mapReduce(source, { map: () => at.push(world.env.now()), reduce: () => 0, env: world.env }),
    );

    expect(at).toEqual([10, 20, 30]);
  });

  const modes = ['all', 'first-error', 'settle'] as const;

  it.each(modes)('in the mode %s, keeps what was mapped when the source fails', async (mode) => {
    const source = new Source(9, (index) => index === 3 && Promise.reject(new Error('torn')));

    const result = await mapReduce(source, { map: add, reduce: add, chunkSize: 2, mode }).catch(
      (reason) => reason,
    );

    expect(result.failed).toEqual([{ task: 'items', error: new Error('torn'), items: [2] }]);
    expect(result instanceof WorkflowError).toBe(mode !== 'settle');
    expect(result.value).toBe(mode === 'settle' ? 1 : undefined);
  });

  // R:F4 R:H3
  it.each(modes)('in the mode %s, ends at its time and closes the source', async (mode) => {
    const world = new World();
    const source = new Source(20);
    const map = async (n: number): Promise<number> => {
      await world.sleep(10);
      return n;
    };

    const { value, error, at } = await ran<unknown>(world, () =>
      mapReduce(source, { map, reduce: add, mode, concurrency: 2, timeoutMs: 25, env: world.env }),
    );

    expect([at, source.closed]).toEqual([25, 1]);
    if (mode === 'settle') {
      const { cancelled, ...rest } = value as MapReduced<number, number>;
      expect(rest).toEqual({ value: 6, failed: [], reason: 'timeout' });
      expect(cancelled.map(({ items }) => items)).toEqual([[4], [5], [6]]);
    } else {
      expect(error).toBeInstanceOf(WorkflowTimeoutError);
      expect(error).toMatchObject({
        ok: { 0: 0, 1: 1, 2: 2, 3: 3 },
        pending: [4, 5, 6],
        timeoutMs: 25,
      });
    }
  });

  it('names of a list also what was not begun', async () => {
    const world = new World();

    const { value } = await ran(world, () =>
      mapReduce([1, 2, 3, 4, 5, 6, 7], {
        chunkSize: 2,
        map: hang,
        reduce: list,
        mode: 'settle',
        concurrency: 1,
        signal: abortAt(world, 5),
        env: world.env,
      }),
    );

    expect(value?.cancelled.map(({ items }) => items)).toEqual([[1, 2], [3, 4], [5, 6], [7]]);
    expect(value).toMatchObject({ value: undefined, reason: 'withdrawn' });
  });

  it('names what was read of a chunk that did not get full', async () => {
    const world = new World();
    const source = new Source(9, (index) => index === 3 && hang());

    const { value } = await ran(world, () =>
      mapReduce(source, {
        chunkSize: 2,
        map: add,
        reduce: add,
        mode: 'settle',
        timeoutMs: 5,
        env: world.env,
      }),
    );

    expect(value).toMatchObject({
      value: 1,
      cancelled: [{ task: 1, items: [2] }],
      reason: 'timeout',
    });
    expect(source.closed).toBe(1);
  });

  it.each(modes)('in the mode %s, reads nothing when it was aborted before', async (mode) => {
    const world = new World();
    const source = new Source(3);

    const { value, error } = await ran<unknown>(world, () =>
      mapReduce(source, {
        map: hang,
        reduce: list,
        mode,
        signal: abortAt(world, -1),
        env: world.env,
      }),
    );

    expect(source.read).toBe(0);
    if (mode === 'settle') expect(value).toMatchObject({ reason: 'withdrawn', cancelled: [] });
    else expect(inWords(error)).toBe('enough');
  });

  describe('whose reduce takes its time', () => {
    const world = new World();
    const options = {
      map: (n: number) => n,
      reduce: (values: readonly number[]) => world.sleep(20).then(() => add(values)),
      env: world.env,
    };

    it('counts it into its time', async () => {
      const { error } = await ran(world, () => mapReduce([1, 2], { ...options, timeoutMs: 5 }));

      expect(error).toBeInstanceOf(WorkflowTimeoutError);
      expect(error).toMatchObject({ pending: ['reduce'], ok: { 0: 1, 1: 2 }, timeoutMs: 5 });
    });

    it('gives it what mapping has left of its time', async () => {
      const slow = { ...options, map: (n: number) => world.sleep(10).then(() => n) };

      const begun = world.env.now();
      const { at, error } = await ran(world, () => mapReduce([1, 2], { ...slow, timeoutMs: 15 }));

      expect(error).toMatchObject({ pending: ['reduce'], timeoutMs: 15 });
      expect(at - begun).toBe(15);
    });

    it('gives it, when it settles, the time that it needs', async () => {
      const { value } = await ran(world, () =>
        mapReduce([1, 2], { ...options, timeoutMs: 5, mode: 'settle' }),
      );

      expect(value).toMatchObject({ value: 3, reason: 'all' });
    });

    it.each(modes)('is called off in the mode %s', async (mode) => {
      const { value, error } = await ran<unknown>(world, () =>
        mapReduce([1, 2], { ...options, mode, signal: abortAt(world, 5) }),
      );

      if (mode === 'settle') expect(value).toMatchObject({ value: undefined, reason: 'withdrawn' });
      else expect(inWords(error)).toBe('enough');
    });
  });

  it.each(modes)('in the mode %s, rejects with what reduce throws', async (mode) => {
    const reduce = fails('cannot add');

    await expect(mapReduce([1], { map: (n) => n, reduce, mode })).rejects.toThrow('cannot add');
  });

  it('reports how far it is, with the total when it is known', async () => {
    const heard: unknown[] = [];
    const onProgress = ({ done, total, pending }: WorkflowProgress): void => {
      heard.push([done, total, pending.length]);
    };
    const options = { map: (n: number) => n, reduce: add, concurrency: 1, onProgress };

    await mapReduce([1, 2], options);
    await mapReduce(new Source(1), options);

    expect(heard).toEqual([
      [0, 2, 0],
      [1, 2, expect.any(Number)],
      [2, 2, 0],
      [0, undefined, 0],
      [1, undefined, 0],
    ]);
  });

  it('puts the policy around each call of map', async () => {
    let calls = 0;
    const policy = {
      execute: async <T>(fn: (execution: never) => T | PromiseLike<T>): Promise<T> => {
        calls += 1;
        return fn(undefined as never);
      },
    };

    await mapReduce([1, 2, 3], { map: (n) => n, reduce: add, policy });

    expect(calls).toBe(4); // reduce, too
  });

  it.each<[string, () => unknown]>([
    ['throws', fails('stuck')],
    ['rejects', () => Promise.reject(new Error('stuck'))],
  ])('does not mind a source that %s when it is closed', async (_what, close) => {
    const source = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 1 }),
        return: close as () => IteratorResult<number>,
      }),
    };

    const { failed } = await mapReduce(source, {
      map: fails('no'),
      reduce: list,
      mode: 'first-error',
    }).catch((error) => error);

    expect(failed).toHaveLength(1);
  });

  const good = { map: list, reduce: list };
  it.each<[unknown, unknown, string]>([
    [null, good, 'The items of mapReduce must be something to iterate'],
    ['text', good, 'The items of mapReduce must be something to iterate'],
    [{}, good, 'The items of mapReduce must be something to iterate'],
    [[], null, 'The options of mapReduce must be an object'],
    [[], {}, 'map must be a function'],
    [[], { map: list }, 'reduce must be a function'],
    [[], { ...good, chunkSize: 0 }, 'chunkSize must be a whole number from 1'],
    [[], { ...good, concurrency: 1.5 }, 'concurrency must be a whole number from 1'],
    [[], { ...good, mode: 'any' }, 'mode must be all, first-error, settle'],
    [[], { ...good, size: 1 }, 'mapReduce has no option size'],
  ])('rejects %j with %j', async (items, options, text) => {
    const error = await mapReduce(items as never[], options as never).catch((reason) => reason);

    expect(String(error)).toContain(text);
    expect(error).not.toHaveProperty('code');
  });
});
