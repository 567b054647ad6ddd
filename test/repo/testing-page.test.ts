import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it, vi } from 'vitest';
import { againstSources, blocksOf } from '../../scripts/doc-blocks.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = readFileSync('docs/testing.md', 'utf8');

it('docs/testing.md shows the report that the block above it prints', async () => {
  const printed = /```text\n([\s\S]*?)```/.exec(PAGE)?.[1];
  const block = blocksOf('docs/testing.md', PAGE).find(({ code }) => code.includes('console.log'));
  const folder = `${ROOT}/temp/testing-page`;
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/race.ts`;
  writeFileSync(path, againstSources(block?.code ?? '', ROOT));
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});

  await import(/* @vite-ignore */ path);
  const lines = log.mock.calls.map(([line]) => line);
  log.mockRestore();

  expect(`${lines.join('\n')}\n`).toBe(printed);
});
