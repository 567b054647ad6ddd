import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { format } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { againstSources } from '../../scripts/doc-blocks.ts';
import { commandOf, expectedOutput, numberedExamples } from '../../scripts/numbered-example.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDER = `${ROOT}/temp/examples`;
const EXAMPLES = numberedExamples();

const sourceOf = (file: string): string => readFileSync(`examples/${file}`, 'utf8');

/** What examples share: a store that one of them needs. */
const SHARED = readdirSync('examples').filter((file) => /^[a-z].*\.ts$/.test(file));

/** Runs an example against the sources, so that no build is needed, and returns what it prints. */
function run(file: string): Promise<string> | string {
  mkdirSync(FOLDER, { recursive: true });
  for (const one of [file, ...SHARED])
    writeFileSync(`${FOLDER}/${one}`, againstSources(sourceOf(one), ROOT));
  return sourceOf(file).includes('node:child_process') ? runApart(file) : runHere(file);
}

/** What starts itself once more has to be a program. */
function runApart(file: string): string {
  const [node, ...argv] = commandOf(file) as [string, ...string[]];
  return execFileSync(node, [...argv.slice(0, -1), `${FOLDER}/${file}`], { encoding: 'utf8' });
}

async function runHere(file: string): Promise<string> {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...args) => {
    printed.push(`${format(...args)}\n`);
  });
  try {
    await import(/* @vite-ignore */ `${FOLDER}/${file}`);
  } finally {
    log.mockRestore();
  }
  return printed.join('');
}

describe('the numbered examples', () => {
  it('are numbered from 01 without a gap', () => {
    const numbers = EXAMPLES.map((file) => Number(file.slice(0, 2)));

    expect(numbers).toEqual(EXAMPLES.map((_, index) => index + 1));
    expect(numbers.length).toBeGreaterThanOrEqual(9);
  });

  it.each(EXAMPLES)('%s prints what is expected', async (file) => {
    expect(await run(file)).toBe(readFileSync(expectedOutput(file), 'utf8'));
  });

  it.each(EXAMPLES)('%s is shorter than 60 lines and says first what it shows', (file) => {
    const lines = sourceOf(file).split('\n');

    expect(lines.length).toBeLessThan(60);
    expect(lines[0]).toMatch(new RegExp(`^// ${file.slice(0, 2)} .+`));
  });

  it('are all in the README', () => {
    const readme = readFileSync('README.md', 'utf8');

    expect(EXAMPLES.filter((file) => !readme.includes(`(examples/${file})`))).toEqual([]);
  });

  it('have no expected output left over from an example that is gone', () => {
    const outputs = readdirSync('examples/expected').map((file) => `examples/expected/${file}`);

    expect(outputs.sort()).toEqual(EXAMPLES.map(expectedOutput));
  });
});
