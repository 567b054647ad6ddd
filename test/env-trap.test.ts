import { runInThisContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RealEnv } from '../src/kernel/real-env.ts';
import { TimerWheel } from '../src/kernel/timer-wheel.ts';
import { SimEnv } from '../src/testing/sim-env.ts';
import { installEnvTrap } from './env-trap.ts';

/** Runs `expression` as if it stood in that file. */
function evaluateIn(file: string, expression: string): unknown {
  return runInThisContext(`(() => (${expression}))()`, { filename: file });
}

const SRC = new URL('../src/', import.meta.url).pathname;
const EXPRESSIONS = [
  'setTimeout(() => {}, 0)',
  'setInterval(() => {}, 1_000)',
  'setImmediate(() => {})',
  'queueMicrotask(() => {})',
  'process.nextTick(() => {})',
  'Date.now()',
  'new Date()',
  'performance.now()',
  'Math.random()',
  'crypto.randomUUID()',
  'AbortSignal.timeout(1)',
  'AbortSignal.any([])',
  'Promise.race([0])',
];

describe('the trap of the Env', () => {
  let remove = (): void => {};

  beforeEach(() => {
    remove = installEnvTrap();
  });

  afterEach(() => {
    remove();
  });

  it.each(EXPRESSIONS)('refuses %s in a file of src', (expression) => {
    const name = expression.replace(/\(.*/, '');

    expect(() => evaluateIn(`${SRC}bus.ts`, expression)).toThrow(`src/bus.ts used ${name}`);
    expect(() => evaluateIn(`file://${SRC}bus.ts`, expression)).toThrow('src/bus.ts used');
  });

  it('refuses a call that a source makes through a built-in function', () => {
    const expression = '[1].map(() => Math.random())';

    expect(() => evaluateIn(`${SRC}bus.ts`, expression)).toThrow('used Math.random');
  });

  it('knows the sources as the test runner loads them', () => {
    const timer = new TimerWheel().add(0, Math.random);

    expect(() => timer.fire()).toThrow('src/kernel/timer-wheel.ts used Math.random');
  });

  it.each([
    `${SRC}kernel/real-env.ts`,
    `${SRC}testing/sim-env.ts`,
    '/project/test/flow/ask.test.ts',
    '/project/node_modules/a-package/src/index.ts',
  ])('passes calls of %s', (file) => {
    for (const expression of ['Date.now()', 'new Date()', 'Math.random()', 'Promise.race([0])']) {
      expect(() => evaluateIn(file, expression)).not.toThrow();
    }
  });

  it('passes a source that makes a date from an instant', () => {
    expect(evaluateIn(`${SRC}bus.ts`, 'new Date(0).toISOString()')).toMatch(/^1970/);
    expect(evaluateIn(`${SRC}bus.ts`, 'new Date(0) instanceof Date')).toBe(true);
  });

  it('lets both Envs work', async () => {
    const sim = new SimEnv();
    const real = new RealEnv();
    const log: string[] = [];
    sim.setTimer(10, () => log.push('simulated'));

    await sim.run();
    await new Promise<void>((resolve) => {
      real.setTimer(0, resolve);
    });

    expect([log, real.now() > 0, real.wall() > 0, real.random() < 1]).toEqual([
      ['simulated'],
      true,
      true,
      true,
    ]);
  });

  it('is gone when it was removed', () => {
    remove();

    for (const expression of ['Date.now()', 'new Date()', 'performance.now()', 'Math.random()']) {
      expect(() => evaluateIn(`${SRC}bus.ts`, expression)).not.toThrow();
    }
    remove = installEnvTrap();
  });
});
