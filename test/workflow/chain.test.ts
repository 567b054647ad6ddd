import { describe, expect, it } from 'vitest';
import {
  CancelledError,
  type ChainOptions,
  type ChainRunOptions,
  chain,
  type Link,
  NOT_MINE,
  NobodyHandledError,
  type WorkflowProgress,
  WorkflowTimeoutError,
} from '../../src/index.ts';
import { hang, outcomeOf } from '../flow/books.ts';
import { abortAt, fails, inWords, World } from './tasks.ts';

type Ways = Readonly<
  Record<string, Partial<Link<number, unknown>> | Link<number, unknown>['handle']>
>;

/** Runs a chain of links that do what is said of each; notes who handles. */
async function ran(
  ways: Ways,
  options: ChainOptions = {},
  run: (world: World) => ChainRunOptions = () => ({}),
): Promise<{ value?: unknown; error?: unknown; log: string[]; at: number }> {
  const world = new World();
  const { env, log } = world;
  const links = Object.entries(ways).map(([name, way]): Link<number, unknown> => {
    const { canHandle, handle = () => name } = typeof way === 'function' ? { handle: way } : way;
    const noted: Link<number, unknown>['handle'] = (input, work) => {
      log.push(name);
      return handle(input, work);
    };
    return { name, handle: noted, ...(canHandle && { canHandle }) };
  });
  let at = -1;
  const outcome = outcomeOf(
    chain(links, options)
      .run(7, { env, ...run(world) })
      .finally(() => {
        at = env.now();
      }),
  );
  await env.run();
  return { ...(outcome.now() as { value?: unknown; error?: unknown }), log, at };
}

const not = (): typeof NOT_MINE => NOT_MINE;
const later = async (): Promise<typeof NOT_MINE> => NOT_MINE;

describe('a chain', () => {
  // R:F:F4
  it.each<[string, Ways, unknown, string[]]>([
    ['the first that handles it', { a: () => 'A', b: () => 'B' }, 'A', ['a']],
    ['the next one when one declines', { a: not, b: later, c: () => 'C' }, 'C', ['a', 'b', 'c']],
    ['the next one when one cannot', { a: { canHandle: () => false }, b: {} }, 'b', ['b']],
    [
      'the next one when one cannot, later',
      { a: { canHandle: async () => false }, b: {} },
      'b',
      ['b'],
    ],
    ['who can', { a: { canHandle: (n) => n > 8 }, b: { canHandle: (n) => n > 6 } }, 'b', ['b']],
    ['nothing as an answer', { a: () => undefined, b: () => 'B' }, undefined, ['a']],
    ['null as an answer', { a: async () => null, b: () => 'B' }, null, ['a']],
  ])('takes %s', async (_what, ways, expected, handlers) => {
    const { value, error, log } = await ran(ways);

    expect([value, error]).toEqual([expected, undefined]);
    expect(log).toEqual(handlers);
  });

  it('says who was asked when nobody handles it', async () => {
    const { error } = await ran({ a: not, b: { canHandle: () => false } }, { name: 'desk' });

    expect(error).toBeInstanceOf(NobodyHandledError);
    expect(error).toMatchObject({
      code: 'TELLASK_UNHANDLED',
      message: 'desk: nobody handled it: a, b declined',
      workflow: 'desk',
      declined: ['a', 'b'],
      failed: [],
    });
    expect(error).not.toHaveProperty('cause');
  });

  it('rejects when it has no link', async () => {
    const { error } = await ran({});

    expect((error as Error).message).toBe('chain: nobody handled it: there is no link');
  });

  const broken: [string, Ways[string]][] = [
    ['throws', fails('broken')],
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['throws when it is asked whether it can', { canHandle: fails('broken') }],
  ];

  it.each(broken)('ends with the error itself when a link %s', async (_what, way) => {
    const { error, log } = await ran({ a: not, b: way, c: () => 'C' });

    expect(inWords(error)).toBe('broken');
    expect(log).not.toContain('c');
  });

  it.each(broken)('asks the next one, if that is wanted, when a link %s', async (_what, way) => {
    const { value } = await ran({ a: way, b: not, c: () => 'C' }, { onError: 'next' });

    expect(value).toBe('C');
  });

  it('keeps what failed when nobody handles it', async () => {
    const { error } = await ran({ a: fails('one'), b: not, c: fails('two') }, { onError: 'next' });

    const { failed, cause, message } = error as NobodyHandledError;
    expect(failed.map(({ task, error: why }) => `${task} ${inWords(why)}`)).toEqual([
      'a one',
      'c two',
    ]);
    expect(inWords(cause)).toBe('one');
    expect(message).toBe('chain: nobody handled it: b declined, a, c failed');
  });

  // R:F4
  it('does not pass on what was called off', async () => {
    const called = new CancelledError('q', 'superseded');

    const { error, log } = await ran(
      { a: () => Promise.reject(called), b: () => 'B' },
      { onError: 'next' },
    );

    expect(error).toBe(called);
    expect(log).toEqual(['a']);
  });

  const stuck: Ways = { a: not, b: () => hang(), c: () => 'C' };

  it('names, when its time is over, whom it waited for and who would be next', async () => {
    const { error, at } = await ran(stuck, { name: 'desk' }, () => ({ timeoutMs: 9 }));

    expect(error).toBeInstanceOf(WorkflowTimeoutError);
    expect(error).toMatchObject({ workflow: 'desk', pending: ['b', 'c'], timeoutMs: 9 });
    expect(at).toBe(9);
  });

  it.each([-1, 0, 5])('ends with the reason of the signal that aborts at %d', async (ms) => {
    const { error, log } = await ran(stuck, { onError: 'next' }, (world) => ({
      signal: abortAt(world, ms),
    }));

    expect(inWords(error)).toBe('enough');
    expect(log).toEqual(ms < 0 ? [] : ['a', 'b']);
  });

  it('tells the link that it is called off, and asks no other', async () => {
    const told: unknown[] = [];
    const obedient: Link<number, unknown>['handle'] = (_input, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          told.push(inWords(signal.reason));
          reject(signal.reason);
        });
      });

    const canHandle = (): boolean => {
      told.push('b is asked');
      return true;
    };
    const { log } = await ran({ a: obedient, b: { canHandle } }, { onError: 'next' }, () => ({
      timeoutMs: 5,
    }));

    expect(told).toEqual(['TIMEOUT']);
    expect(log).toEqual(['a']);
  });

  it('does not tell a link of what happens after its turn', async () => {
    const signals: AbortSignal[] = [];
    const a: Link<number, unknown>['handle'] = (_input, { signal }) => {
      signals.push(signal);
      return NOT_MINE;
    };

    await ran({ a, b: hang }, {}, () => ({ timeoutMs: 5 }));

    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });

  it('leaves no timer behind', async () => {
    const { env } = new World();

    const link = { name: 'a', handle: () => 'A' };
    const outcome = outcomeOf(chain([link]).run(1, { env, timeoutMs: 1_000 }));
    await env.settle();

    expect(outcome.now()).toEqual({ value: 'A' });
    expect(env.pendingTimers()).toEqual([]);
  });

  it('does not ask a link whose canHandle takes until everything is called off', async () => {
    const world = new World();
    const { env, log } = world;
    const canHandle = (): Promise<boolean> => world.sleep(10).then(() => true);
    const link = { name: 'a', canHandle, handle: () => log.push('a') };

    const outcome = outcomeOf(chain([link]).run(1, { env, timeoutMs: 5 }));
    await env.run();

    expect(outcome.now()).toMatchObject({ error: { pending: ['a'] } });
    expect([env.now(), log]).toEqual([10, []]);
  });

  it('puts the policy around each link for itself', async () => {
    let calls = 0;
    const policy = {
      execute: async <T>(fn: (execution: never) => T | PromiseLike<T>): Promise<T> => {
        calls += 1;
        return fn(undefined as never);
      },
    };

    await ran({ a: not, b: { canHandle: () => false }, c: () => 'C' }, {}, () => ({ policy }));

    expect(calls).toBe(2);
  });

  it('reports who was asked and who is next', async () => {
    const heard: string[] = [];
    const onProgress = ({ done, total, last, pending }: WorkflowProgress): void => {
      heard.push(`${done}/${total} ${last ? `${last.task} ${last.outcome}` : '-'} [${pending}]`);
    };

    await ran({ a: not, b: fails('no'), c: () => 'C', d: () => 'D' }, { onError: 'next' }, () => ({
      onProgress,
    }));

    expect(heard).toEqual([
      '0/4 - [a,b,c,d]',
      '1/4 a declined [b,c,d]',
      '2/4 b failed [c,d]',
      '3/4 c ok []',
    ]);
  });

  it('calls the methods of a link on the link', async () => {
    class Desk implements Link<number, string> {
      readonly name = 'desk';
      readonly #least = 5;
      canHandle(input: number): boolean {
        return input > this.#least;
      }
      handle(input: number): string {
        return `${input} is more than ${this.#least}`;
      }
    }

    expect(await chain([new Desk()]).run(7)).toBe('7 is more than 5');
  });

  it('runs for many inputs at a time', async () => {
    const double = chain<number, number>([{ name: 'double', handle: async (n) => n * 2 }]);

    expect(await Promise.all([1, 2, 3].map((n) => double.run(n)))).toEqual([2, 4, 6]);
    expect([double.name, double.links]).toEqual(['chain', ['double']]);
  });

  it.each<[unknown, unknown, string]>([
    ['a', {}, 'The links of chain must be a list'],
    [[null], {}, 'A link must be an object'],
    [[() => 1], {}, 'an object with a topic, or a name and a handle, but it is a function'],
    [[{}], {}, 'The name of a link must be a string'],
    [[{ name: 'a' }], {}, 'handle of a must be a function'],
    [[{ topic: 't', canHandle: 1 }], {}, 'canHandle of t must be a function'],
    [[{ topic: 't' }, { topic: 't' }], {}, 'chain has two links named t'],
    [[], null, 'The options of chain must be an object'],
    [[], { onError: 'skip' }, "onError must be 'end' or 'next'"],
    [[], { name: 1 }, 'name must be a string'],
    [[], { onerror: 'next' }, 'chain has no option onerror'],
  ])('is not made of %j with %j', (links, options, text) => {
    expect(() => chain(links as never[], options as object)).toThrow(text);
    expect(() => chain(links as never[], options as object)).toThrow(TypeError);
  });

  it.each<[unknown, string]>([
    [null, 'The options of run must be an object'],
    [{ timeoutMs: 'soon' }, 'timeoutMs must be a number of milliseconds'],
    [{ name: 'x' }, 'run has no option name'],
  ])('does not run with %j', async (options, text) => {
    await expect(chain([]).run(1, options as object)).rejects.toThrow(text);
  });
});
