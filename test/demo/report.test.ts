import { expect, it } from 'vitest';
import type { Finding } from '../../examples/demo/finding.ts';
import { extract } from '../../examples/demo/markdown/extract.ts';
import { type Audit, countWords, linesOf } from '../../examples/demo/report.ts';

const LINK: Finding = {
  kind: 'broken-link',
  file: 'docs/a.md',
  line: 7,
  subject: 'gone.md',
  message: 'The link leads to docs/gone.md, and there is no such file.',
  advice: 'Correct the target, or add the file.',
};
const AUDIT: Audit = {
  title: 'docs',
  pages: 2,
  packages: 1,
  findings: [],
  disputed: [],
  withdrawn: 3,
  unread: [],
};

const reportOf = (audit: Audit): string => linesOf(audit).join('');

it('says so when nothing is to be mended', () => {
  const report = reportOf(AUDIT);

  expect(report).toContain('2 pages and 1 package were read. Nothing is to be mended.');
});

it('names the place of every finding and says once what to do', () => {
  const report = reportOf({ ...AUDIT, findings: [{ ...LINK, line: 9 }, LINK] });

  const places = [...report.matchAll(/`docs\/a\.md:(\d+)`/g)].map((match) => match[1]);
  expect(places).toEqual(['7', '9']);
  expect(report.match(/To do/g)).toHaveLength(1);
});

it('lets no foreign text become markup', () => {
  const file = 'a](x.md)\n# b`.md';
  const subject = '``<script>`` [x](y.md)';
  const report = reportOf({ ...AUDIT, findings: [{ ...LINK, file, subject }] });

  const { links, headings } = extract(report);
  expect(links).toEqual([]);
  expect(headings).toHaveLength(3);
});

it('lets no name of a file command the terminal that the report is streamed to', () => {
  const report = reportOf({ ...AUDIT, findings: [{ ...LINK, file: 'a\u001B[2J.md' }] });

  expect(report).not.toContain('\u001B');
});

it('comes in lines, of which each ends', () => {
  const lines = linesOf({ ...AUDIT, findings: [LINK] });

  expect(lines.filter((line) => line.indexOf('\n') !== line.length - 1)).toEqual([]);
  expect(lines.at(-1)).not.toBe('\n');
});

it.each([
  ['\n', 0],
  ['## Faults\n', 2],
  ['  - To do:  Add it.\n', 5],
])('counts the words of %j', (line, words) => {
  expect(countWords(line)).toBe(words);
});

it('lists what could not be read', () => {
  const report = reportOf({
    ...AUDIT,
    unread: [{ path: 'big.md', reason: 'It is too large.' }],
  });

  expect(report).toContain('- `big.md` It is too large.');
});
