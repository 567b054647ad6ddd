import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../examples/demo/main.ts', import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'main-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs the demo as a user does, with `folder` as the working directory. */
function demo(...argv: string[]) {
  const args = ['--import', TSX, MAIN, ...argv];
  return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
}

it('ends well and leaves a report and a diagram', async () => {
  await writeFile(join(folder, 'a.md'), '# A\n\n[gone](gone.md)\n');

  const { status, stdout } = demo('.');

  expect(status).toBe(0);
  expect(stdout).toContain('The books balance.');
  const report = await readFile(join(folder, 'out', 'report.md'), 'utf8');
  expect(report).toContain('`a.md:3`');
  expect(stdout).toContain(report);
  expect(await readFile(join(folder, 'out', 'traffic.mmd'), 'utf8')).toMatch(/^sequenceDiagram\n/);
}, 20_000);

it('ends early with a budget, says so at both ends, and is no failure', async () => {
  await writeFile(join(folder, 'a.md'), '# A\n\n[gone](gone.md)\n');

  const { status, stdout } = demo('.', '--budget', '20');

  expect(status).toBe(0);
  expect(stdout).toContain('report.write: dead-lettered(budget)');
  expect(stdout).toContain('The books balance.');
  const report = await readFile(join(folder, 'out', 'report.md'), 'utf8');
  expect(report).toContain('**This report ends early.** Its budget of 20 words was used up');
}, 20_000);

it('undoes what it published when a step is made to fail, and says so', async () => {
  await writeFile(join(folder, 'a.md'), '# A\n');

  const { status, stdout } = demo('.', '--fail', 'announce');

  expect(status).toBe(0);
  expect(stdout).toContain('write ✓ → index ✓ → announce ✗: compensated');
  expect(stdout).toContain('publish (open)');
  expect(await readdir(join(folder, 'out'))).toEqual(['publishing.mmd']);
}, 20_000);

it.each([
  ['--ask', '--ask needs a terminal to ask in'],
  ['.', 'There is no Markdown in'],
  ['gone', 'There is no folder'],
])(
  'says what is wrong with %s and nothing of its insides',
  (audited, message) => {
    const { status, stderr } = demo(audited);

    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^ +at /m);
  },
  20_000,
);
