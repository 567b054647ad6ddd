import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** Where real time is what is tested. */
const ALLOWED = [
  // The real Env, and what catches whoever uses time behind its back.
  'kernel/real-env.test.ts',
  'env-trap.ts',
  'env-trap.test.ts',
  'repo/',
  // What the simulation waits for in real time.
  'testing/context-lost.test.ts',
];
const SLEEP = /\bsetTimeout\s*\(|timers\/promises|scheduler\s*\.\s*wait/;

const root = new URL('..', import.meta.url);

/** Lines of tests that wait for real time. */
function sleepsIn(path: string): string[] {
  const lines = readFileSync(new URL(path, root), 'utf8').split('\n');
  return lines.flatMap((line, at) =>
    SLEEP.test(line) ? [`${path}:${at + 1} ${line.trim()}`] : [],
  );
}

// F:M no test sleeps: time is virtual, and what is real is waited for.
it('waits for what happens, and never for time to pass', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.(ts|mjs)$/.test(path) && !ALLOWED.some((name) => path.startsWith(name)));

  expect(files.length).toBeGreaterThan(100);
  expect(files.flatMap(sleepsIn)).toEqual([]);
});
