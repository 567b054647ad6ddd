import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** How many features there are under each letter. */
const COUNTS = { A: 17, B: 20, C: 14, D: 11, E: 6, F: 12, G: 9, H: 7, I: 10 } as const;
const REST = { J: 3, K: 8, L: 5, M: 8, N: 4, O: 2 } as const;
/** How many things each of the documents names. */
const NAMED = [17, 13, 14, 10, 7];

const PAGE = readFileSync('docs/features.md', 'utf8');
const [, others = '', documents = ''] = PAGE.split(/^## .+$/m);

/** The cells of the rows of a text, without headings. */
function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => /^\| (?!id |named there |-)/.test(line) && !line.startsWith('|---'))
    .map((line) => line.slice(2, -2).split(' | '));
}

describe('docs/features.md', () => {
  it('has every feature once, in order', () => {
    const ids = Object.entries({ ...COUNTS, ...REST }).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
    );

    expect(rowsOf(others).map(([id]) => id)).toEqual(ids);
  });

  it('goes through every line of the documents', () => {
    const parts = documents.split(/^### Doc\d/m).slice(1);

    expect(parts.map((part) => rowsOf(part).length)).toEqual(NAMED);
  });

  it('says of each whether it works', () => {
    const states = [
      ...rowsOf(others).map(([, , state]) => state),
      ...rowsOf(documents).map(([, state]) => state),
    ];

    for (const state of states) expect(['works', 'partly', 'later', 'no']).toContain(state);
  });

  it('shows where everything is that works', () => {
    const rows = [...rowsOf(others), ...rowsOf(documents)];
    const targets = (row: string[]) => [...(row.at(-1) ?? '').matchAll(/\]\(([^)#]+)/g)];
    const works = rows.filter((row) => row.includes('works') || row.includes('partly'));

    expect(works.filter((row) => !/\]\(|`/.test(row.at(-1) ?? ''))).toEqual([]);
    for (const row of rows) {
      for (const [, path = ''] of targets(row)) {
        expect(existsSync(join('docs', path)), `${row[0]}: ${path}`).toBe(true);
      }
    }
  });
});
