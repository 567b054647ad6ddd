import { describe, expect, it } from 'vitest';
import {
  CancelledError,
  type ParallelOptions,
  parallel,
  WorkflowError,
  type WorkflowProgress,
  WorkflowTimeoutError,
} from '../../src/index.ts';
import { outcomeOf } from '../flow/books.ts';
import { abortAt, brief, fails, inWords, World } from './tasks.ts';

type Mode = NonNullable<ParallelOptions['mode']>;

/** What three tasks become: quick gives 1 after 10 ms, odd ends in its way after 20, slow after 30. */
async function three(
  mode: Mode,
  odd: () => unknown,
  options: (world: World) => ParallelOptions = () => ({}),
): Promise<{ result: unknown; at: number; world: World; error: unknown }> {
  const world = new World();
  const { env } = world;
  let at = -1;
  const tasks = {
    quick: world.task('quick', 10, () => 1),
    odd: world.task('odd', 20, odd),
    slow: world.task('slow', 30, () => 3),
  };
  const asked = parallel(tasks, { env, mode, ...options(world) }).finally(() => {
    at = env.now();
  });
  const outcome = outcomeOf(asked);
  await env.run();
  const { value, error } = outcome.now() as { value?: unknown; error?: unknown };
  const result = (value as { reason?: unknown })?.reason ?? error ?? value;
  return { result: value ?? result, at, world, error };
}

const called = new CancelledError('it', 'withdrawn');
const aborted = Object.assign(new Error('aborted'), { name: 'AbortError' });

describe('parallel', () => {
  // R:F:F2
  it('waits for all, and gives what they gave in the order of the tasks', async () => {
    const world = new World();
    const tasks = { slow: world.task('slow', 9, () => 1), quick: world.task('quick', 1, () => 2) };

    const outcome = outcomeOf(parallel(tasks, { env: world.env }));
    await world.env.run();

    const { value } = outcome.now() as { value: object };
    expect(Object.entries(value)).toEqual([
      ['slow', 1],
      ['quick', 2],
    ]);
  });

  it('gives a list for a list', async () => {
    expect(await parallel([() => 'a', async () => 2, () => undefined])).toEqual([
      'a',
      2,
      undefined,
    ]);
  });

  it.each([[{}], [[]]])('gives nothing for nothing: %j', async (tasks: object) => {
    expect(await parallel(tasks)).toEqual(tasks);
    expect(await parallel(tasks, { mode: 'settle' })).toEqual({
      ok: tasks,
      failed: [],
      cancelled: [],
      reason: 'all',
    });
  });

  it('keeps a task whose name is that of something in every object', async () => {
    const tasks = Object.fromEntries([
      ['__proto__', () => 1],
      ['constructor', () => 2],
    ]);

    expect(Object.entries(await parallel(tasks))).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
    ]);
  });

  const failing: [Mode, string, () => unknown, number, unknown][] = [
    [
      'all',
      'fails',
      fails('no'),
      30,
      { ok: { quick: 1, slow: 3 }, failed: ['odd no'], cancelled: [] },
    ],
    [
      'first-error',
      'fails',
      fails('no'),
      20,
      { ok: { quick: 1 }, failed: ['odd no'], cancelled: ['slow CANCELLED'] },
    ],
    [
      'settle',
      'fails',
      fails('no'),
      30,
      { ok: { quick: 1, slow: 3 }, failed: ['odd no'], cancelled: [] },
    ],
    [
      'all',
      'is called off',
      () => Promise.reject(called),
      30,
      { ok: { quick: 1, slow: 3 }, failed: [], cancelled: ['odd CANCELLED'] },
    ],
    [
      'first-error',
      'is called off',
      () => Promise.reject(called),
      20,
      { ok: { quick: 1 }, failed: [], cancelled: ['odd CANCELLED', 'slow CANCELLED'] },
    ],
    [
      'settle',
      'is called off',
      () => Promise.reject(called),
      30,
      { ok: { quick: 1, slow: 3 }, failed: [], cancelled: ['odd CANCELLED'] },
    ],
    [
      'settle',
      'is aborted',
      () => Promise.reject(aborted),
      30,
      { ok: { quick: 1, slow: 3 }, failed: [], cancelled: ['odd aborted'] },
    ],
  ];

  // R:F4
  it.each(failing)(
    'in the mode %s, when one %s, keeps what the others did',
    async (mode, _what, odd, after, expected) => {
      const { result, at, error } = await three(mode, odd);

      expect(at).toBe(after);
      expect(brief(result as WorkflowError)).toEqual(expected);
      expect(error === undefined).toBe(mode === 'settle');
      expect(error === undefined || error instanceof WorkflowError).toBe(true);
    },
  );

  it('says in the error who failed and who was called off; the first error is the cause', async () => {
    const { error } = await three('first-error', fails('no'));

    const { message, cause, errors, code, workflow } = error as WorkflowError;
    expect(message).toBe('parallel: odd failed, slow cancelled');
    expect(inWords(cause)).toBe('no');
    expect(errors).toEqual([cause]);
    expect([code, workflow]).toEqual(['TELLASK_WORKFLOW', 'parallel']);
  });

  it('does not call a workflow failed whose tasks were only called off', async () => {
    const inner = (): Promise<unknown> => parallel({ x: () => Promise.reject(called) });

    const { failed, cancelled } = await parallel({ inner }, { mode: 'settle' });

    expect(failed).toEqual([]);
    expect(cancelled.map(({ task }) => task)).toEqual(['inner']);
  });

  it('keeps an error that throws when somebody looks at it', async () => {
    const odd = new Proxy({}, { get: fails('do not look'), getPrototypeOf: fails('nor here') });

    const { failed } = await parallel({ odd: () => Promise.reject(odd) }, { mode: 'settle' });

    expect(failed.map(({ error }) => error === odd)).toEqual([true]);
  });

  const early: [string, Mode, (world: World) => ParallelOptions, number, unknown, string[]][] = [];
  for (const mode of ['all', 'first-error', 'settle'] as const) {
    const timedOut = [
      { ok: {}, failed: [], cancelled: ['quick', 'odd', 'slow'] },
      { ok: { quick: 1 }, failed: [], cancelled: ['odd', 'slow'] },
      { ok: { quick: 1, odd: 2 }, failed: [], cancelled: ['slow'] },
    ];
    for (const [i, after] of [5, 15, 25].entries()) {
      const { ok, cancelled = [] } = timedOut[i] ?? {};
      early.push([
        `its ${after} ms are over`,
        mode,
        () => ({ timeoutMs: after }),
        after,
        ok,
        cancelled,
      ]);
      early.push([
        `it is aborted after ${after} ms`,
        mode,
        (w) => ({ signal: abortAt(w, after) }),
        after,
        ok,
        cancelled,
      ]);
    }
    early.push(['it has no time', mode, () => ({ timeoutMs: 0 }), 0, {}, ['quick', 'odd', 'slow']]);
    early.push([
      'it was aborted before',
      mode,
      (w) => ({ signal: abortAt(w, -1) }),
      0,
      {},
      ['quick', 'odd', 'slow'],
    ]);
  }

  // R:F4 R:H3
  it.each(early)(
    'when %s, ends in the mode %s without waiting',
    async (why, mode, options, after, ok, rest) => {
      const { at, result, error, world } = await three(mode, () => 2, options);

      const timeout = !why.includes('aborted');
      expect(at).toBe(after);
      if (mode === 'settle') {
        const reason = timeout ? 'TIMEOUT' : 'enough';
        expect(brief(result as WorkflowError)).toEqual({
          ok,
          failed: [],
          cancelled: rest.map((task) => `${task} ${reason}`),
        });
        expect(result).toMatchObject({ reason: timeout ? 'timeout' : 'withdrawn' });
      } else if (timeout) {
        expect(error).toBeInstanceOf(WorkflowTimeoutError);
        expect(error).toMatchObject({
          ok,
          pending: rest,
          timeoutMs: after,
          failed: [],
          cancelled: [],
        });
      } else {
        expect(inWords(error)).toBe('enough');
      }
      const begun = world.log.filter((line) => line.endsWith('begins'));
      expect(begun).toHaveLength(why.endsWith('before') ? 0 : 3);
      const off = world.log.filter((line) => line.includes(' off: '));
      expect(off).toHaveLength(why.endsWith('before') ? 0 : rest.length);
    },
  );

  it('names in a time-out what it waited for', async () => {
    const { error } = await three(
      'all',
      () => 2,
      () => ({ timeoutMs: 15, name: 'front page' }),
    );

    expect((error as Error).message).toBe(
      'front page was not done within 15 ms: it waited for odd, slow',
    );
  });

  // R:F:F2
  it.each([1, 2, 3, 10, Infinity])(
    'runs at most %d at a time, in the order given',
    async (concurrency) => {
      const world = new World();
      const tasks = [3, 1, 2, 3, 1, 2].map((ms, i) => world.task(`${i}`, ms, () => i));

      const outcome = outcomeOf(parallel(tasks, { env: world.env, concurrency }));
      await world.env.run();

      expect(outcome.now()).toEqual({ value: [0, 1, 2, 3, 4, 5] });
      expect(world.most).toBe(Math.min(concurrency, 6));
      expect(world.log).toEqual([0, 1, 2, 3, 4, 5].map((i) => `${i} begins`));
    },
  );

  it.each([1, 2, 3])(
    'does not begin what is left when one of %d at a time fails',
    async (concurrency) => {
      const world = new World();
      const tasks = [1, 2, 3, 4, 5].map((ms, i) =>
        world.task(`${i}`, ms, i === 0 ? fails('no') : () => i),
      );

      const outcome = outcomeOf(
        parallel(tasks, { env: world.env, concurrency, mode: 'first-error' }),
      );
      await world.env.run();

      expect(outcome.now()).toHaveProperty('error.cancelled.length', 4);
      expect(world.log.filter((line) => line.endsWith('begins'))).toHaveLength(concurrency);
    },
  );

  it('takes a task that throws at once for one that failed', async () => {
    const { failed } = await parallel([fails('at once'), () => 1], { mode: 'settle' });

    expect(failed.map(({ task, error }) => `${task} ${inWords(error)}`)).toEqual(['0 at once']);
  });

  it('is not held up by a task that hangs and does not look at its signal', async () => {
    const world = new World();
    const hang = (): Promise<never> => new Promise(() => {});

    const outcome = outcomeOf(
      parallel([hang, hang], { env: world.env, concurrency: 1, timeoutMs: 5 }),
    );
    await world.env.run();

    expect(outcome.now()).toMatchObject({ error: { pending: [0, 1] } });
  });

  it('ignores what becomes of a task that it called off', async () => {
    const world = new World();
    const tasks = { a: world.task('a', 1, fails('first')), b: world.task('b', 2, fails('later')) };

    const outcome = outcomeOf(parallel(tasks, { env: world.env, mode: 'first-error' }));
    await world.env.run();

    expect(outcome.now()).toHaveProperty('error.failed.length', 1);
  });

  it('leaves no timer behind, and one that holds the process while it waits', async () => {
    const world = new World();
    const held: unknown[] = [];
    const { setTimer } = world.env;
    world.env.setTimer = (...args) => {
      held.push(args[2]);
      return setTimer.apply(world.env, args);
    };

    const outcome = outcomeOf(parallel([() => 1], { env: world.env, timeoutMs: 1_000 }));
    await world.env.settle();

    expect(outcome.now()).toEqual({ value: [1] });
    expect(held).toEqual([{ keepAlive: true, label: 'workflow time-out' }]);
    expect(world.env.pendingTimers()).toEqual([]);
  });

  it('leaves no listener on a signal that lives longer', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener: add, removeEventListener: remove } = signal;
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove.apply(signal, args);
    };

    await parallel([({ signal: own }) => own.aborted, () => 2], { signal });
    await parallel([fails('no'), () => 2], { signal, mode: 'first-error' }).catch(() => {});

    expect(listeners).toBe(0);
  });

  it('tells each task its own signal, its time and the first attempt', async () => {
    const world = new World();
    const seen: unknown[] = [];
    const signals = new Set<AbortSignal>();

    await parallel(
      [1, 2].map(() => ({ signal, attempt, remainingMs }) => {
        signals.add(signal);
        seen.push([attempt, remainingMs]);
      }),
      { env: world.env, timeoutMs: 50 },
    );

    expect(signals.size).toBe(2);
    expect(seen).toEqual([
      [1, 50],
      [1, 50],
    ]);
  });

  it('puts the policy around each task for itself', async () => {
    const calls: string[] = [];
    const twice = {
      async execute<T>(fn: (execution: never) => T | PromiseLike<T>): Promise<T> {
        try {
          return await fn(undefined as never);
        } catch {
          return fn({ attempt: 2 } as never);
        }
      },
    };
    const task =
      (name: string) =>
      ({ attempt, signal }: { attempt: number; signal: AbortSignal }) => {
        calls.push(`${name} ${attempt} ${signal.aborted}`);
        if (attempt === 1) throw new Error('again');
        return name;
      };

    expect(await parallel([task('a'), task('b')], { policy: twice, concurrency: 1 })).toEqual([
      'a',
      'b',
    ]);
    expect(calls).toEqual(['a 1 false', 'a 2 false', 'b 1 false', 'b 2 false']);
  });

  // R:F4
  it('reports what it waits for from the beginning to the end', async () => {
    const heard: string[] = [];
    const onProgress = ({ done, total, pending, last, workflow }: WorkflowProgress): void => {
      const what = last === undefined ? '-' : `${last.task} ${last.outcome}`;
      heard.push(`${workflow} ${done}/${total} ${what} [${pending}]`);
    };

    await three('all', fails('no'), () => ({ onProgress, name: 'page', timeoutMs: 25 }));

    expect(heard).toEqual([
      'page 0/3 - [quick,odd,slow]',
      'page 1/3 quick ok [odd,slow]',
      'page 2/3 odd failed [slow]',
      'page 3/3 - []',
    ]);
  });

  it.each([
    ['throws', fails('deaf')],
    ['rejects', () => Promise.reject(new Error('deaf'))],
  ])('goes on when a listener %s', async (_what, onProgress) => {
    expect(await parallel([() => 1], { onProgress })).toEqual([1]);
  });

  it('may be called off by who hears of its progress', async () => {
    const controller = new AbortController();
    const onProgress = ({ done }: WorkflowProgress): void => {
      if (done === 1) controller.abort(new Error('seen enough'));
    };
    const world = new World();
    const tasks = [world.task('a', 1, () => 1), world.task('b', 2, () => 2)];

    const options = {
      env: world.env,
      signal: controller.signal,
      onProgress,
      mode: 'settle',
    } as const;
    const outcome = outcomeOf(parallel(tasks, options));
    await world.env.run();

    expect(outcome.now()).toMatchObject({ value: { ok: [1, undefined], reason: 'withdrawn' } });
  });

  it('may be called off by one of its tasks while it begins', async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const options = { signal: controller.signal, mode: 'settle' } as const;

    const { cancelled } = await parallel(
      { a: () => controller.abort(new Error('no')), b: () => log.push('b begins') },
      options,
    );

    expect(cancelled.map(({ task }) => task)).toEqual(['a', 'b']);
    expect(log).toEqual([]);
  });

  const wrong: [unknown, unknown, string][] = [
    [null, {}, 'The tasks of parallel must be'],
    [() => 1, {}, 'The tasks of parallel must be'],
    [{ a: 1 }, {}, 'The task a must be a function'],
    [[1], {}, 'The task 0 must be a function'],
    [{}, null, 'The options of parallel must be an object'],
    [{}, { concurency: 2 }, 'parallel has no option concurency'],
    [{}, { mode: 'some' }, 'mode must be all, first-error, settle'],
    [{}, { concurrency: 0 }, 'concurrency must be a whole number from 1'],
    [{}, { concurrency: '2' }, 'concurrency must be a number'],
    [{}, { timeoutMs: -1 }, 'timeoutMs must be 0 or more'],
    [{}, { signal: {} }, 'signal must be an AbortSignal'],
    [{}, { policy: {} }, 'policy must be an object with execute'],
    [{}, { as: {} }, 'as must be an agent, a context or a bus'],
    [{}, { onProgress: 1 }, 'onProgress must be a function'],
    [{}, { name: 1 }, 'name must be a string'],
  ];

  it.each(wrong)('rejects %j with %j', async (tasks, options, text) => {
    const error = await parallel(tasks as object, options as object).catch((reason) => reason);

    expect(error).toBeInstanceOf(Error);
    expect(error).not.toHaveProperty('code');
    expect((error as Error).message).toContain(text);
  });
});
