import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { isTellaskError } from 'tellask';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { agreeable } from '../../examples/demo/person.ts';
import { leadOf, linesOf } from '../../examples/demo/report.ts';
import { type DeskRun, runDesk } from '../../examples/demo/run-desk.ts';
import { renderSummary } from '../../examples/demo/summary.ts';
import { copyFixture } from './audit-folder.ts';
import { askScript, nameOf } from './independent.ts';

const DEEP = `${Array.from({ length: 12 }, (_, n) => `a-long.folder.name-${n}`).join('/')}/deep.md`;

let root = '';
let out = '';
let run: DeskRun;
const shown: string[] = [];
const streamed: string[] = [];
// One run is looked at from many sides.
beforeAll(async () => {
  root = await copyFixture();
  out = await mkdtemp(join(tmpdir(), 'out-'));
  await mkdir(join(root, DEEP, '..'), { recursive: true });
  await writeFile(join(root, DEEP), '[gone](gone.md)\n');
  run = await audit(root);
});
afterAll(async () => {
  for (const folder of [root, out]) await rm(folder, { recursive: true, force: true });
});

function audit(folder: string): Promise<DeskRun> {
  const progress = {
    update: (done: number, total: number) => shown.push(`${done} of ${total}`),
    finish: () => shown.push('finished'),
  };
  const report = { out, words: Infinity, person: agreeable, show: (l: string) => streamed.push(l) };
  const trouble = { readMs: 400, hangAt: 1, leaveAt: 2 };
  return runDesk({ root: folder, title: 'docs', progress, ...report, ...trouble });
}

function incidentsOf(code: 'TELLASK_TIMEOUT' | 'TELLASK_RESPONDER_LEFT'): string[] {
  return run.incidents
    .map(({ error }) => error)
    .filter((error) => isTellaskError(error, code))
    .map(({ message }) => message);
}

it('finds what an independent script finds', () => {
  expect(run.audit.findings.map(nameOf).sort()).toEqual(askScript(root));
  expect(run.audit.disputed).toEqual([]);
});

// R:A: every admitted delivery has exactly one outcome.
it('leaves books that balance', () => {
  const { admitted, handled, deadLettered, expired, cancelled } = run.books;
  const { waiting, queued, inFlight, deferred, retryWait } = run.books;

  expect({ waiting, queued, inFlight, deferred, retryWait }).toEqual({
    waiting: 0,
    queued: 0,
    inFlight: 0,
    deferred: 0,
    retryWait: 0,
  });
  expect(handled + deadLettered + expired + cancelled).toBe(admitted);
  expect(run.books.faults).toBe(0);
});

it('explains the time-out of a reader that hangs and asks another one', () => {
  expect(incidentsOf('TELLASK_TIMEOUT').join('\n')).toMatch(
    /^reader-2 did not answer extract within 400 ms: running for 0\.\d s( in \w+)?$/m,
  );
  expect(run.books.abandoned).toBeGreaterThanOrEqual(1);
});

it('gives the work of a reader that leaves to others', () => {
  expect(incidentsOf('TELLASK_RESPONDER_LEFT')[0]).toBe('reader-3 left before it answered extract');
  expect(run.agents.map(({ name }) => name)).not.toContain('reader-3');
});

// R:L1: whoever has it on his card is asked, under whatever name.
it('has another reader come that can do the same', () => {
  expect(run.replaced).toEqual([
    { left: 'reader-3', came: 'reader-5', pages: expect.any(Number) as number },
  ]);
  expect(run.replaced[0]?.pages).toBeGreaterThan(0);
  expect(renderSummary(run)).toContain('reader-5 came for reader-3: ');
});

// R:L4: a folder waits for its files, and is summed up although some could not be read.
it('makes tasks of files, and of folders that depend on them', () => {
  const { completed, failed, folders } = run.readings;
  const sum = (count: 'read' | 'files') => folders.reduce((all, one) => all + one[count], 0);

  expect(failed).toBe(3);
  expect([sum('read'), sum('files')]).toEqual([completed, completed + 3]);
  expect(completed).toBe(run.audit.pages + run.audit.packages);
  expect(folders.map(({ folder }) => folder)).toEqual(
    expect.arrayContaining(['.', 'docs', 'elsewhere']) as string[],
  );
  expect(renderSummary(run)).toContain(`${completed} of ${completed + 3} files were read`);
});

it('rejects what stays unreadable and redrives what comes back', () => {
  const failed = run.failed.map(({ path, reason }) => `${basename(path)} ${reason}`);

  expect(failed.sort()).toEqual([
    'away.md max-attempts',
    'garbled.md rejected',
    'huge.md rejected',
  ]);
  expect(run.recovered.map((path) => basename(path))).toEqual(['away.md']);
  expect(run.audit.unread).toEqual([]);
});

// R:H1
it('does without a checker that fails, and asks it again when it is well', () => {
  expect(run.shielded).toMatchObject({ name: 'javascript', failed: 3 });
  expect(renderSummary(run)).toContain('javascript failed on 3 pages');
});

it('publishes the report step by step and draws it', async () => {
  expect(renderSummary(run)).toContain('write ✓ → index ✓ → announce ✓: completed');
  expect(await readFile(join(out, 'publishing.mmd'), 'utf8')).toMatch(/^flowchart TD\n/);
});

// R:K2: two agents change one version of the report, and both changes are there.
it('keeps the report in the state, with what two agents wrote of it', () => {
  const { history } = run.book;

  expect(history.map(({ version, action, actor }) => `${version} ${action} by ${actor}`)).toEqual([
    '1 created by $host',
    '2 updated by $host',
    expect.stringMatching(/^3 set by (writer|chief)$/),
    expect.stringMatching(/^4 merged by (writer|chief)$/),
    '5 updated by $host',
  ]);
  expect(history[2]?.actor).not.toBe(history[3]?.actor);
  expect(history[3]?.causationId).toMatch(/./);
  expect(history[3]?.value?.content).toEqual({
    lead: leadOf(run.audit),
    lines: linesOf(run.audit),
  });
  expect(history[4]?.value?.metadata).toEqual({ published: 'written' });
});

it('keeps its workflow there, with a score of every stage', () => {
  const { withdrawn, findings } = run.audit;
  const check = findings.length / (findings.length + withdrawn);

  expect(run.book.workflow).toMatchObject({
    active: null,
    completed: ['check', 'draft', 'publish'],
    qualityScores: { check, draft: 1, publish: 1 },
  });
  expect(withdrawn).toBeGreaterThan(0);
});

it('follows a path that is too long for a topic', () => {
  expect(run.audit.findings.map(({ file }) => file)).toContain(DEEP);
});

it('shows progress up to the last file', () => {
  const [total] = shown[0]?.split(' of ').slice(1) ?? [];

  expect(shown.slice(-2)).toEqual([`${total} of ${total}`, 'finished']);
});

it('tells it all in a summary, a report and a diagram', async () => {
  const summary = renderSummary(run);

  expect(summary).toContain('The books balance.');
  expect(summary).toMatch(/Quality: check 0\.\d\d → draft 1\.00 → publish 1\.00/);
  expect(summary).toMatch(/version 4: merged by (writer|chief), because of a message/);
  expect(summary).toContain('Redriven when its cause was gone, and read.');
  expect(summary).toContain('└─ verifier → writer  page.{path}.reviewed');
  const diagram = await readFile(join(out, 'traffic.mmd'), 'utf8');
  expect(diagram).toMatch(/as reader-[\s\S]* as writer\n/);
  const report = await readFile(join(out, 'report.md'), 'utf8');
  expect(report).toContain(`\`${DEEP}:1\``);
  expect(streamed.join('')).toBe(report);
  expect(report).toBe(linesOf(run.audit).join(''));
});

it('leaves nothing behind', async () => {
  const left = await Promise.allSettled(run.made.map((path) => stat(resolve(root, path, '..'))));

  expect(left.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
});

it('says plainly that a folder is missing or holds nothing', async () => {
  await mkdir(join(root, 'empty'));

  await expect(audit(join(root, 'empty'))).rejects.toThrow('There is no Markdown in');
  await expect(audit(join(root, 'gone'))).rejects.toThrow('There is no folder');
});
