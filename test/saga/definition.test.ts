import { describe, expect, it } from 'vitest';
import { MemoryStore, retry, saga } from '../../src/index.ts';
import { takeJson } from '../../src/saga/json.ts';

const run = (): number => 1;
const compensate = (): void => {};

/** Definitions in plain JavaScript, where no type helps. */
// biome-ignore lint/suspicious/noExplicitAny: what is tested is what types forbid
const untyped = saga as any;

describe('a definition', () => {
  it.each([
    ['', TypeError, 'The name of a saga must be a string of 1 to 128 characters'],
    ['a/b', TypeError, 'a name without /'],
    ['__proto__', TypeError, 'no property of every object'],
    ['constructor', TypeError, 'no property of every object'],
    [7, TypeError, 'The name of a saga must be a string'],
    ['x'.repeat(129), TypeError, 'a string of 129 characters'],
  ])('refuses the name %j', (name, type, text) => {
    const define = (): unknown => untyped(name);

    expect(define).toThrow(type);
    expect(define).toThrow(text);
  });

  it.each([
    ['a step that is none', 1, 'Step a must be an object, but it is 1'],
    ['a step without run', {}, 'Step a: run must be a function, but it is undefined'],
    [
      'a mistyped option',
      { run, retries: 3 },
      'Step a has no option retries; it has run, compensate',
    ],
    ['a compensate that is none', { run, compensate: 1 }, 'Step a: compensate must be a function'],
    ['isUnknown that is none', { run, isUnknown: 1 }, 'Step a: isUnknown must be a function'],
    ['pivot that is none', { run, pivot: 1 }, 'Step a: pivot must be true or false, but it is 1'],
    ['a policy that is none', { run, policy: {} }, 'Step a: policy must be a policy'],
    ['retry and policy', { run, retry: {}, policy: retry() }, 'put the retry into the policy'],
    ['a mistyped retry', { run, retry: { max: 3 } }, 'max'],
    ['a time-out that is none', { run, timeoutMs: '1' }, 'Step a: timeoutMs must be a number'],
    ['options of no compensation', { run, compensation: {} }, 'but no compensate'],
    [
      'a mistyped option of the compensation',
      { run, compensate, compensation: { retries: 1 } },
      'Step a: compensation has no option retries',
    ],
    [
      'a compensation that is none',
      { run, compensate, compensation: 3 },
      'Step a: compensation must be an object, but it is 3',
    ],
    ['a pivot that is undone', { run, compensate, pivot: true }, 'Step a is the pivot'],
  ])('refuses %s', (_name, step, text) => {
    const define = (): unknown => untyped('s').step('a', step);

    expect(define).toThrow(TypeError);
    expect(define).toThrow(text);
  });

  it.each([
    [{ run, timeoutMs: -1 }, 'Step a: timeoutMs must be 0 or more, but it is -1'],
    [{ run, timeoutMs: Number.NaN }, 'but it is NaN'],
    [{ run, retry: { maxAttempts: 0 } }, 'maxAttempts'],
    [{ run, compensate, compensation: { timeoutMs: -1 } }, 'Step a: compensation: timeoutMs'],
  ])('refuses what is out of range: %j', (step, text) => {
    const define = (): unknown => untyped('s').step('a', step);

    expect(define).toThrow(RangeError);
    expect(define).toThrow(text);
  });

  it('refuses a name that is taken, a second pivot, and what would never be undone', () => {
    const pivoted = untyped('s').step('a', { run }).step('p', { run, pivot: true });

    expect(() => pivoted.step('a', { run })).toThrow('Saga s has a step a already');
    expect(() => pivoted.parallel('a', { b: { run } })).toThrow('Saga s has a step a already');
    expect(() => pivoted.step('q', { run, pivot: true })).toThrow('Step q would be a second pivot');
    expect(() => pivoted.step('c', { run, compensate })).toThrow('stands behind the pivot');
    expect(() => untyped('s').parallel('g', { a: { run, pivot: true } })).toThrow('is in a group');
    expect(() => untyped('s').parallel('g', {})).toThrow('Group g has no step');
    expect(() => untyped('s').parallel('g', 1)).toThrow('Group g must be an object of steps');
    expect(() => untyped('s').parallel('g', { 'a/b': { run } })).toThrow('a name without /');
  });

  it('never changes: each step gives a new one', async () => {
    const one = saga('s').step('a', { run });
    const two = one.step('b', { run });

    const results = [await one.run('1', 0), await two.run('1', 0)].map((result) => result.results);

    expect(results).toEqual([{ a: 1 }, { a: 1, b: 1 }]);
    expect(two.name).toBe('s');
  });
});

describe('run and resume', () => {
  const one = saga('s').step('a', { run });
  // biome-ignore lint/suspicious/noExplicitAny: what is tested is what types forbid
  const loose = one as any;

  it.each([
    ['an empty id', ['', 0], 'The id must be a non-empty string'],
    ['an id that no file could bear', ['\0', 0], 'well-formed Unicode'],
    ['options that are none', ['1', 0, 7], 'The options of run must be an object'],
    ['a mistyped option', ['1', 0, { stores: 1 }], 'run has no option stores'],
    ['an option of resume', ['1', 0, { force: true }], 'run has no option force'],
    ['a store that is none', ['1', 0, { store: {} }], 'store must be a Store'],
    ['somebody who cannot speak', ['1', 0, { as: {} }], 'as must be an agent, a context or a bus'],
    ['a listener that is none', ['1', 0, { onProgress: 1 }], 'onProgress must be a function'],
    ['a lease that is none', ['1', 0, { leaseMs: '1' }], 'leaseMs must be a number'],
  ])('reject %s, and never throw', async (_name, args, text) => {
    const rejected = expect(loose.run(...args)).rejects;

    await rejected.toThrow(TypeError);
    await expect(loose.run(...args)).rejects.toThrow(text);
  });

  it.each([
    [{ leaseMs: -1 }, 'leaseMs must be 0 or more, but it is -1'],
    [{ leaseMs: Infinity }, 'leaseMs must be finite'],
    [{ maxRecoveries: -1 }, 'maxRecoveries must be 0 or more'],
    [{ storeTimeoutMs: Number.NaN }, 'storeTimeoutMs must be 0 or more'],
  ])('reject what is out of range: %j', async (options, text) => {
    await expect(one.run('1', 0, options)).rejects.toThrow(RangeError);
    await expect(one.run('1', 0, options)).rejects.toThrow(text);
  });

  it('reject an id that is too long for a store, and a saga without a step', async () => {
    await expect(one.run('x'.repeat(506), 0)).rejects.toThrow('of 512');
    await expect(one.run('x'.repeat(505), 0)).resolves.toMatchObject({ status: 'completed' });
    await expect(saga('s').run('1', 0)).rejects.toThrow('Saga s has no step');
  });

  it('keep ids apart that hold what keys are made of', async () => {
    const keys: string[] = [];
    const store = new MemoryStore();
    const keyed = saga('s').step('a', { run: (_input, c) => keys.push(c.idempotencyKey) });

    for (const id of ['x', 'x/a', 'x%2Fa', '%']) await keyed.run(id, 0, { store });

    expect(keys).toEqual(['s/x/a', 's/x%2Fa/a', 's/x%252Fa/a', 's/%25/a']);
    expect((await keyed.list({ store })).map(({ id }) => id).toSorted()).toEqual([
      '%',
      'x',
      'x%2Fa',
      'x/a',
    ]);
  });

  it('reject an input that is not JSON before anything is saved', async () => {
    const store = new MemoryStore();

    await expect(one.run('1', { at: new Date(0) }, { store })).rejects.toMatchObject({
      code: 'TELLASK_SAGA_DATA',
      path: '/at',
      message: 'The input is not JSON: an object of class Date at /at',
    });

    expect(store.toJSON().revision).toBe(0);
  });

  it('give steps the input and the results as the store would give them back', async () => {
    const input = { list: [1, undefined as unknown], skip: undefined };
    input.list.pop();
    const seen: unknown[] = [];
    const copying = saga<typeof input>('s')
      .step('a', { run: (given) => [seen.push(given), given][1] as typeof given })
      .step('b', {
        run: (_input, c) => void seen.push(c.results.a, Object.isFrozen(c.results.a.list)),
      });

    const { results } = await copying.run('1', input);

    expect(seen).toEqual([{ list: [1] }, { list: [1] }, true]);
    expect(seen[0]).not.toBe(input);
    expect(results).toStrictEqual({ a: { list: [1] }, b: undefined });
  });
});

describe('what is JSON', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);

  it.each([
    [undefined, undefined],
    [null, null],
    [-0, 0],
    [{ a: undefined, b: [true, ''] }, { b: [true, ''] }],
    [JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}')],
    [Object.create(null, { a: { value: 1, enumerable: true } }), { a: 1 }],
  ])('is taken: %j', (value, expected) => {
    expect(takeJson(value, 'it')).toEqual(expected);
  });

  it.each([
    [Number.NaN, '', 'NaN'],
    [{ a: [1n] }, '/a/0', '1'],
    [[1, undefined], '/1', 'undefined'],
    [new Array(1), '/0', 'undefined'],
    [{ 'a/b~': () => {} }, '/a~1b~0', 'a function'],
    [{ m: new Map() }, '/m', 'an object of class Map'],
    [new (class Seat {})(), '', 'an object of class Seat'],
    [Object.create({}), '', 'an object of class Object'],
    [cycle, expect.stringMatching(/^(\/0){100}$/), 'it is deeper than 100 levels'],
    [
      {
        get secret() {
          throw new Error('no');
        },
      },
      '',
      'it cannot be read',
    ],
  ])('refuses what is not, and says where: %#', (value, path, problem) => {
    const take = (): unknown => takeJson(value, 'The result of step a');

    expect(take).toThrow(expect.objectContaining({ code: 'TELLASK_SAGA_DATA', path }));
    expect(take).toThrow(`The result of step a is not JSON: ${problem}`);
  });
});
