import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { readSources, withoutComments } from './sources.ts';

const ALLOWED = ['kernel/real-env.ts', 'testing/sim-env.ts'];
const FORBIDDEN: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['setTimeout', /\bsetTimeout\b/],
  ['setInterval', /\bsetInterval\b/],
  ['setImmediate', /\bsetImmediate\b/],
  ['queueMicrotask', /\bqueueMicrotask\b/],
  ['process.nextTick', /\bnextTick\b/],
  ['Date.now', /\bDate\s*\.\s*now\b/],
  ['new Date()', /\bnew\s+Date\s*(?:\(\s*\)|[^\s(])/],
  ['performance.now', /\bperformance\b/],
  ['Math.random', /\bMath\s*\.\s*random\b/],
  ['randomUUID', /\brandomUUID\b/],
  ['nanoid', /\bnanoid\s*\(/],
  ['AbortSignal.timeout', /\bAbortSignal\s*\.\s*timeout\b/],
  ['AbortSignal.any', /\bAbortSignal\s*\.\s*any\b/],
  ['Promise.race', /\bPromise\s*\.\s*race\b/],
];

function forbiddenIn(code: string): string[] {
  return FORBIDDEN.filter(([, pattern]) => pattern.test(code)).map(([name]) => name);
}

describe('the sources', () => {
  it('take time, order, chance and names from the Env alone', () => {
    const guilty = readSources()
      .filter(({ path }) => !ALLOWED.includes(path))
      .flatMap(({ path, code }) => forbiddenIn(code).map((name) => `${path}: ${name}`));

    expect(guilty).toEqual([]);
  });

  // R:D2
  it('start nothing when they are imported', () => {
    const files = readSources().map(
      ({ path }) => new URL(`../../src/${path}`, import.meta.url).href,
    );
    const source = `
      for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']) {
        const original = globalThis[name];
        globalThis[name] = (...args) => {
          if (new Error().stack.includes('/src/')) console.log(name + ' at import');
          return original(...args);
        };
      }
      for (const file of ${JSON.stringify(files)}) await import(file);
      console.log('imported');`;
    const argv = ['--import', 'tsx', '--input-type=module', '--eval', source];

    const { stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });

    expect(stderr).toBe('');
    expect(stdout).toBe('imported\n');
  });
});

describe('the guard', () => {
  it.each([
    ['setTimeout', 'setTimeout(run, 1);'],
    ['setTimeout', 'globalThis.setTimeout(run, 1);'],
    ['setInterval', 'const every = setInterval;'],
    ['setImmediate', 'setImmediate(run)'],
    ['queueMicrotask', 'queueMicrotask(run)'],
    ['process.nextTick', "import { nextTick } from 'node:process';"],
    ['Date.now', 'Date.now()'],
    ['new Date()', 'new Date()'],
    ['new Date()', 'new Date;'],
    ['performance.now', 'const { now } = performance;'],
    ['Math.random', 'Math\n.random()'],
    ['randomUUID', 'crypto.randomUUID()'],
    ['nanoid', 'nanoid(8)'],
    ['AbortSignal.timeout', 'AbortSignal.timeout(5)'],
    ['AbortSignal.any', 'AbortSignal.any([])'],
    ['Promise.race', 'Promise.race([])'],
  ])('finds %s in `%s`', (name, code) => {
    expect(forbiddenIn(withoutComments(code))).toEqual([name]);
  });

  it('passes over comments, and over what only looks alike', () => {
    const code = [
      '// setTimeout(run, 1)',
      '/** Unlike Date.now() */',
      'env.setTimer(1, run); new Date(env.wall()); resetTimeouts(); Promise.all([]);',
    ].join('\n');

    expect(forbiddenIn(withoutComments(code))).toEqual([]);
  });

  it('is not misled by what looks like a comment inside a string', () => {
    expect(
      forbiddenIn(withoutComments("f('https://a.b', Date.now(), '/*'); Math.random();")),
    ).toEqual(['Date.now', 'Math.random']);
  });
});
