import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  againstSources,
  blocksIn,
  blocksOf,
  type DocBlock,
  withClaims,
} from '../../scripts/doc-blocks.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDER = `${ROOT}/temp/doc-examples`;
const PLACES = ['README.md', 'CONTRIBUTING.md', 'AGENTS.md', 'docs', 'src'];
const BLOCKS = PLACES.flatMap((place) => blocksIn(place));

const nameOf = ({ file, line }: DocBlock): string => `${file}:${line}`;
const fileOf = (block: DocBlock): string => `${nameOf(block).replace(/\W+/g, '-')}.ts`;

function write(folder: string, block: DocBlock, code: string): string {
  const path = `${folder}/${fileOf(block)}`;
  writeFileSync(path, `${againstSources(code, ROOT)}\nexport {};\n`);
  return path;
}

beforeAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(`${FOLDER}/types`, { recursive: true });
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the examples of the documents and docstrings', () => {
  it.each(BLOCKS.map((block) => [nameOf(block), block] as const))('%s runs', async (_, block) => {
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const code = `import { expect } from 'vitest';\n${withClaims(block.code)}`;
    const path = write(FOLDER, block, code);

    await import(/* @vite-ignore */ path);
  });

  it('pass the type check as they are written', () => {
    for (const block of BLOCKS) write(`${FOLDER}/types`, block, block.code);
    const options = { noUnusedLocals: false, rewriteRelativeImportExtensions: false };
    const config = {
      extends: `${ROOT}/tsconfig.json`,
      compilerOptions: options,
      include: ['*.ts'],
    };
    writeFileSync(`${FOLDER}/types/tsconfig.json`, JSON.stringify(config));
    const argv = ['--no', '--', 'tsc', '-p', `${FOLDER}/types`];

    const { stdout } = spawnSync('npx', argv, { cwd: ROOT, encoding: 'utf8' });

    expect(stdout).toBe('');
  });

  it('are there', () => {
    const files = new Set(BLOCKS.map(({ file }) => file));

    expect(files).toContain('README.md');
    expect(files).toContain('src/bus.ts');
    expect(files.size).toBeGreaterThan(10);
  });
});

describe('blocksOf', () => {
  it('finds TypeScript alone, and says at which line', () => {
    const text = ['# A', '```json', '{}', '```', '```ts', 'a();', '', 'b();', '```', ''].join('\n');

    expect(blocksOf('a.md', text)).toEqual([{ file: 'a.md', line: 6, code: 'a();\n\nb();\n' }]);
  });

  it('takes the stars off a docstring', () => {
    const text = [
      '  /**',
      '   * ```ts',
      '   * a(',
      '   *   1,',
      '   *',
      '   * );',
      '   * ```',
      '   */',
    ];

    expect(blocksOf('a.ts', text.join('\n'))).toEqual([
      { file: 'a.ts', line: 3, code: 'a(\n  1,\n\n);\n' },
    ]);
  });
});

describe('withClaims', () => {
  it.each([
    ['1 + 1; // => 2', 'expect(1 + 1).toEqual(2);'],
    ['const a = f(); // => 2', 'const a = f(); expect(a).toEqual(2);'],
    ['  f(a) // => [2]', '  expect(f(a)).toEqual([2]);'],
    ['f();\n// => 2', 'expect(f()).toEqual(2);'],
    ['f(); // so', 'f(); // so'],
  ])('makes of `%s` what fails when it is not so', (code, program) => {
    expect(withClaims(code)).toBe(program);
  });
});
