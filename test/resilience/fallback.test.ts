import { describe, expect, expectTypeOf, it } from 'vitest';
import { bulkhead, compose, type FallbackError, fallback } from '../../src/index.ts';
import { Call } from '../../src/resilience/call.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const fails = (error: unknown) => () => Promise.reject(error);

describe('a fallback', () => {
  // R:H4
  it('tries each alternative once, in the order written, until one succeeds', async () => {
    const log: string[] = [];
    const tries = (name: string, works: boolean) => async (error: unknown) => {
      log.push(`${name} after ${error}`);
      if (!works) throw `${name} failed`;
      return name;
    };
    const policy = fallback(tries('a', false), tries('b', true), tries('c', true));

    const result = await policy.execute(fails('work failed'));

    expect(result).toBe('b');
    expect(log).toEqual(['a after work failed', 'b after a failed']);
  });

  it('is not asked when the work succeeds', async () => {
    const policy = fallback(() => {
      throw new Error('never');
    });

    expect([await policy.execute(() => 1), await policy.execute(async () => 2)]).toEqual([1, 2]);
  });

  // R:H4
  it('keeps all causes when nothing succeeds, the first of them as the cause', async () => {
    const policy = fallback(fails('a'), () => {
      throw 'b';
    });

    const error = (await policy.execute(fails('work')).catch((e: unknown) => e)) as FallbackError;

    expect(error).toMatchObject({
      code: 'TELLASK_FALLBACK',
      errors: ['work', 'a', 'b'],
      cause: 'work',
    });
    expect(error.message).toBe('The work failed, and 2 alternatives after it');
  });

  it('says in the singular that the only alternative failed', async () => {
    const error = await fallback(fails('a'))
      .execute(fails('work'))
      .catch((e: unknown) => e);

    expect(error).toMatchObject({ message: 'The work failed, and the alternative after it' });
  });

  it('passes over an alternative whose `when` says no, or throws', async () => {
    const policy = fallback(
      { value: 'no', when: () => false },
      {
        value: 'broken',
        when: () => {
          throw new Error('hostile');
        },
      },
      { value: 'odd', when: () => 'yes' as never },
      { run: (error) => `instead of ${error}`, when: (error) => error === 'work' },
    );

    expect(await policy.execute(fails('work'))).toBe('instead of work');
    await expect(policy.execute(fails('other'))).rejects.toBe('other');
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['an error', new Error('as a value')],
  ])('may give %s as a value', async (_name, value) => {
    expect(await fallback({ value }).execute(fails('work'))).toBe(value);
  });

  // R:H4
  it('does not answer an abort of the caller, and rejects with its reason', async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const policy = fallback(() => log.push('a'));
    const whenAborted = ({ signal }: { signal: AbortSignal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject('work stopped')));

    const call = policy.execute(whenAborted, controller.signal);
    controller.abort('enough');

    await expect(call).rejects.toBe('enough');
    const own = Object.assign(new Error('stopped'), { name: 'AbortError' });
    await expect(policy.execute(fails(own))).rejects.toBe(own);
    expect(log).toEqual([]);
  });

  it('tries no further alternative when the call was aborted meanwhile', async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const policy = fallback(
      () => {
        controller.abort('enough');
        throw new Error('a');
      },
      () => log.push('b'),
    );

    await expect(policy.execute(fails('work'), controller.signal)).rejects.toBe('enough');
    expect(log).toEqual([]);
  });

  it('tries nothing when the time of the call is over', async () => {
    const env = new SimEnv();
    const over = new Call(env, undefined, { deadline: 0 });

    await expect(fallback({ value: 1 }).run(fails('late'), over)).rejects.toBe('late');
  });

  it('is told of the signal and the rest of the time', async () => {
    const env = new SimEnv();
    const call = new Call(env, undefined, { deadline: 50, attempt: 2 });
    const policy = fallback((_error, { attempt, remainingMs, signal }) => [
      attempt,
      remainingMs,
      signal.aborted,
    ]);

    expect(await policy.run(fails('work'), call)).toEqual([2, 50, false]);
  });

  it('is harmless to errors that throw when they are looked at', async () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('hostile');
        },
      },
    );

    expect(await fallback({ value: 1 }).execute(fails(hostile))).toBe(1);
  });

  it.each([
    [[], 'fallback needs an alternative'],
    [[undefined], 'An alternative of fallback must be a function, { run } or { value }'],
    [['text'], 'An alternative of fallback must be a function, { run } or { value }'],
    [[{}], 'An alternative of fallback has either run or value'],
    [[{ value: 1, run: () => 1 }], 'An alternative of fallback has either run or value'],
    [[{ run: 1 }], 'fallback.run must be a function'],
    [[{ value: 1, when: 1 }], 'fallback.when must be a function'],
    [[{ value: 1, if: () => true }], 'An alternative of fallback has no option if'],
  ])('refuses %j', (alternatives, message) => {
    expect(() => fallback(...(alternatives as never[]))).toThrow(message);
    expect(() => fallback(...(alternatives as never[]))).toThrow(TypeError);
  });

  it('tells the types of what it may give', () => {
    const policy = compose(bulkhead({ limit: 1 }), compose(fallback({ value: null })));

    expectTypeOf(policy.execute(() => 1)).toEqualTypeOf<Promise<number | null>>();
    expectTypeOf(compose(bulkhead({ limit: 1 })).execute(() => 1)).toEqualTypeOf<Promise<number>>();
  });
});
