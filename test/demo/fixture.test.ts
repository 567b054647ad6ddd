import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Review } from '../../examples/demo/review.ts';
import { auditFolder, copyFixture } from './audit-folder.ts';
import { askScript, nameOf } from './independent.ts';

let root = '';
beforeAll(async () => {
  root = await copyFixture();
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe.each([
  { folder: '.', table: 'expected-sources.txt' },
  { folder: 'node_modules', table: 'expected-installed.txt' },
])('the fixed folder $folder', ({ folder, table }) => {
  it('has the findings of the reviewed table', async () => {
    const reviews = await auditFolder(join(root, folder));

    const lines = reviews.map(({ outcome, finding }) =>
      [outcome, `${finding.file}:${finding.line}`, finding.kind, finding.subject].join(' | '),
    );
    expect(lines.sort()).toEqual(readTable(table));
  });

  it('has the findings that an independent script lists', async () => {
    const reviews = await auditFolder(join(root, folder));

    expect(
      reviews
        .filter(isAgreed)
        .map(({ finding }) => nameOf(finding))
        .sort(),
    ).toEqual(askScript(join(root, folder)));
  });
});

it('ends every talk about a finding in agreement', async () => {
  const reviews = await auditFolder(root);

  expect(reviews.filter((review) => review.outcome === 'disputed')).toEqual([]);
});

function isAgreed(review: Review): boolean {
  return review.outcome === 'agreed';
}

function readTable(name: string): string[] {
  const text = readFileSync(new URL(name, import.meta.url), 'utf8');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('# '));
}
