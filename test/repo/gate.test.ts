import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importsOf, readSources } from './sources.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const json = <T>(path: string): T => JSON.parse(read(path)) as T;

const gate = read('.ci/run');
const { scripts, dependencies } = json<{
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
}>('package.json');

/** The commands of the gate by step. */
const steps = new Map(
  [...gate.matchAll(/^ {2}\[(\w+)\]="(.*)"$/gm)].map((match) => [match[1], match[2] as string]),
);

describe('the gate', () => {
  it('runs every step that it knows, and builds before anything uses the build', () => {
    const order = /^all=\((.*)\)$/m.exec(gate)?.[1]?.split(' ') ?? [];

    expect(order.toSorted()).toEqual([...steps.keys()].toSorted());
    expect(order.slice(0, 2)).toEqual(['install', 'build']);
  });

  it('calls only scripts that the package has', () => {
    const names = [...steps.values()].flatMap((command) =>
      [...command.matchAll(/npm run --silent (\S+)/g)].map((match) => match[1] as string),
    );

    expect(names.length).toBe(steps.size - 2);
    expect(names.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  it('runs the tests once, with coverage, as the README says', () => {
    expect(steps.get('install')).toMatch(/^npm ci\b/);
    expect(steps.get('test')).toMatch(/^npm test\b/);
    expect(scripts['test']).toBe('vitest run --coverage');
  });

  it('excuses no package from the search for unused ones that the sources import', () => {
    const excused = json<{ ignoreDependencies?: string[] }>('knip.json').ignoreDependencies ?? [];
    const imported = new Set(readSources().flatMap(({ code }) => importsOf(code)));

    expect(excused.filter((name) => imported.has(name))).toEqual([]);
    expect(excused.filter((name) => dependencies[name] === undefined)).toEqual([]);
  });

  it('refuses a step that it does not know', () => {
    const { status, stderr } = spawnSync('bash', ['.ci/run', 'nope'], {
      cwd: ROOT,
      encoding: 'utf8',
    });

    expect(status).toBe(2);
    expect(stderr).toContain('unknown step: nope');
  });
});

describe('the count of the tests', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tellask-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function countOf(report: string): string {
    const path = join(folder, 'report.json');
    writeFileSync(path, report);
    const argv = ['--import', 'tsx', 'scripts/count-tests.ts', path];
    return spawnSync(process.execPath, argv, { cwd: ROOT, encoding: 'utf8' }).stdout;
  }
  const file = (status: string, ...tests: string[]) => ({
    status,
    assertionResults: tests.map((test) => ({ status: test })),
  });

  it.each([
    ['passed and failed tests', true, [file('passed', 'passed', 'passed')], '2 passed, 0 failed'],
    ['failed ones', false, [file('failed', 'passed', 'failed')], '1 passed, 1 failed'],
    ['a file that does not load', false, [file('failed'), file('passed')], '0 passed, 1 failed'],
    ['a run that calls itself failed', false, [file('passed', 'passed')], '1 passed, 1 failed'],
  ])('counts %s', (_, success, testResults, line) => {
    expect(countOf(JSON.stringify({ success, testResults }))).toBe(`${line}\n`);
  });

  it('counts a run without a report as failed', () => {
    expect(countOf('')).toBe('0 passed, 1 failed\n');
  });
});
