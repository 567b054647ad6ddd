import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageBus } from 'tellask';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeArchivist } from '../../examples/demo/agents/archivist.ts';
import { makeChief } from '../../examples/demo/agents/chief.ts';
import { makeHerald } from '../../examples/demo/agents/herald.ts';
import { makePublisher } from '../../examples/demo/agents/publisher.ts';
import { makeWriter } from '../../examples/demo/agents/writer.ts';
import { desk } from '../../examples/demo/desk.ts';
import type { Finding } from '../../examples/demo/finding.ts';
import type { Person } from '../../examples/demo/person.ts';
import { type FailingStep, type Published, publish } from '../../examples/demo/publish.ts';
import { type Audit, countWords, linesOf } from '../../examples/demo/report.ts';

const FINDINGS = Array.from(
  { length: 40 },
  (_, line): Finding => ({
    kind: 'broken-link',
    file: `docs/${line}.md`,
    line,
    subject: 'gone.md',
    message: 'The link leads nowhere.',
    advice: 'Correct the target, or add the file.',
  }),
);
const AUDIT: Audit = {
  title: 'docs',
  pages: 40,
  packages: 0,
  findings: FINDINGS,
  disputed: [],
  withdrawn: 0,
  unread: [],
};
const LINES = linesOf(AUDIT);

let folder = '';
let asked: string[] = [];
let shown: string[] = [];
let heard: unknown[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'publish-'));
  [asked, shown, heard] = [[], [], []];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const saying =
  (agrees: boolean): Person =>
  async (question) => {
    asked.push(question);
    return agrees;
  };

/** A desk on which only the report is left to do. */
async function run(person: Person, words = Infinity, fail?: FailingStep): Promise<Published> {
  const bus = new MessageBus({ contract: desk });
  makeWriter(bus.register('writer'));
  makeChief(bus.register('chief'), person);
  makePublisher(bus.register('publisher'), folder);
  makeArchivist(bus.register('archivist'), folder);
  makeHerald(bus.register('herald'));
  bus.subscribe('report.announced', ({ payload }) => heard.push(payload));
  const show = (line: string) => shown.push(line);
  const published = await publish(bus, { audit: AUDIT, diagram: 'D\n' }, { words, show, fail });
  await bus.drain();
  const { admitted, handled, deadLettered, cancelled, expired } = bus.inspect();
  expect(handled + deadLettered + cancelled + expired).toBe(admitted);
  await bus.close();
  return published;
}

const report = () => readFile(join(folder, 'report.md'), 'utf8');

it('shows line by line what it writes, and nothing else', async () => {
  const { status } = await run(saying(false));

  expect(status).toBe('written');
  expect(shown).toEqual(LINES);
  expect(await report()).toBe(LINES.join(''));
  expect(await readFile(join(folder, 'traffic.mmd'), 'utf8')).toBe('D\n');
});

it('asks nobody where nothing is overwritten', async () => {
  await run(saying(false));

  expect(asked).toEqual([]);
});

it('overwrites an earlier report when that is allowed', async () => {
  await writeFile(join(folder, 'report.md'), 'old');

  const { status } = await run(saying(true));

  expect(status).toBe('written');
  expect(asked).toEqual([`Overwrite ${join(folder, 'report.md')} of an earlier run?`]);
  expect(await report()).toBe(LINES.join(''));
});

it('leaves an earlier report as it was when that is not allowed', async () => {
  await writeFile(join(folder, 'report.md'), 'old');

  const { status } = await run(saying(false));

  expect(status).toBe('kept');
  expect(await report()).toBe('old');
  expect(await readdir(folder)).toEqual(['report.md']);
  expect(shown).toEqual([]);
});

// R:G2
it('ends early when its budget is used up, and the report says so', async () => {
  const published = await run(saying(true), 200);

  const text = await report();
  expect(shown.join('')).toBe(text);
  const note = shown.at(-1) ?? '';
  const lines = shown.slice(0, -1);
  expect(lines).toEqual(LINES.slice(0, lines.length));
  expect(countWords(lines.join(''))).toBeLessThanOrEqual(200);
  expect(countWords(LINES.slice(0, lines.length + 1).join(''))).toBeGreaterThan(200);
  expect(note).toContain(
    `Its budget of 200 words was used up: ${lines.length} of ${LINES.length} lines were written.`,
  );
  expect(published).toMatchObject({
    status: 'partial',
    howFar: { written: lines.length, lines: LINES.length },
    letters: [
      { topic: 'report.write', reason: 'budget' },
      { topic: 'report.publish', reason: 'budget' },
    ],
  });
});

it('writes no word with a budget of none', async () => {
  await run(saying(true), 0);

  expect(shown).toHaveLength(1);
  expect(await report()).toContain(`0 of ${LINES.length} lines were written.`);
});

it('writes all of it with a budget of just so many words', async () => {
  const { status } = await run(saying(true), countWords(LINES.join('')));

  expect(status).toBe('written');
});

it('lists and announces what it has written', async () => {
  const { publishing } = await run(saying(true));

  expect(await readFile(join(folder, 'index.md'), 'utf8')).toContain(
    '- [docs](report.md): 40 findings\n',
  );
  expect(heard).toEqual([{ title: 'docs', findings: 40 }]);
  expect(publishing).toMatchObject({
    status: 'completed',
    done: ['write', 'index', 'announce'],
    failed: undefined,
    undone: [],
  });
});

it('neither lists nor announces what it was not allowed to write', async () => {
  await writeFile(join(folder, 'report.md'), 'old');

  await run(saying(false));

  expect(heard).toEqual([]);
});

// R:I1
it.each([
  ['index', ['write'], ['write']],
  ['announce', ['write', 'index'], ['index', 'write']],
] as const)(
  'undoes in reverse what was done when the step %s fails',
  async (step, done, undone) => {
    for (const name of ['report.md', 'index.md'])
      await writeFile(join(folder, name), `old ${name}`);

    const { status, publishing } = await run(saying(true), Infinity, step);

    expect(status).toBe('undone');
    expect(publishing).toMatchObject({ status: 'compensated', done, undone, failed: { step } });
    expect((await readdir(folder)).sort()).toEqual(['index.md', 'report.md']);
    expect(await report()).toBe('old report.md');
    expect(await readFile(join(folder, 'index.md'), 'utf8')).toBe('old index.md');
    expect(heard).toEqual([]);
  },
);

it('leaves nothing of a first report that could not be announced', async () => {
  await run(saying(true), Infinity, 'announce');

  expect(await readdir(folder)).toEqual([]);
});

it('does not hide an error that nobody wished for', async () => {
  await writeFile(join(folder, 'index.md'), 'old');
  await rm(folder, { recursive: true });
  await writeFile(folder, 'no folder at all');

  await expect(run(saying(true))).rejects.toThrow('ENOTDIR');
});
