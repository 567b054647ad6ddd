import { posix } from 'node:path';
import { expect, it } from 'vitest';
import type { Finding, FindingKind, Library } from '../../../examples/demo/finding.ts';
import { extract } from '../../../examples/demo/markdown/extract.ts';
import { verify } from '../../../examples/demo/verify/verify.ts';

/** A library that holds these files and no packages. */
function shelf(files: Readonly<Record<string, string>>): Library {
  const texts = new Map(Object.entries(files));
  const namesIn = (folder: string) =>
    [...texts.keys()]
      .filter((path) => folder === '.' || path.startsWith(`${folder}/`))
      .map((path) => posix.relative(folder, path).split('/')[0] ?? '');
  return {
    kindOf: async (path) => (texts.has(path) ? 'file' : undefined),
    namesIn: async (folder) => namesIn(folder),
    textOf: async (path) => texts.get(path),
    extractOf: async (path) => extract(texts.get(path) ?? ''),
    packageOf: async () => undefined,
  };
}

function finding(kind: FindingKind, subject: string, line = 1): Finding {
  const message = 'It stands at line 1 already.';
  return { kind, file: 'a.md', line, subject, message, advice: '' };
}

const FALSE_FINDINGS: [string, Finding, Record<string, string>, string][] = [
  [
    'a file that is there',
    finding('broken-link', 'b%20c.md'),
    { 'a.md': '[x](b%20c.md)', 'b c.md': '' },
    'no-such-fault',
  ],
  [
    'a target the line does not hold',
    finding('broken-link', 'b.md'),
    { 'a.md': 'text' },
    'no-such-fault',
  ],
  [
    'a page of a site',
    finding('broken-link', 'b.html'),
    { 'a.md': '[x](b.html)', 'b.md': '' },
    'served',
  ],
  ['a name in HTML', finding('broken-anchor', '#b'), { 'a.md': '<i id="b">' }, 'no-such-fault'],
  ['a heading spelt otherwise', finding('broken-anchor', '#B-C'), { 'a.md': '# b c' }, 'spelling'],
  [
    'JSON that parses',
    finding('bad-json', 'json block of line 1'),
    { 'a.md': '```json\n{"a": [1]}\n```' },
    'no-such-fault',
  ],
  [
    'code that compiles',
    finding('bad-javascript', 'js block of line 1'),
    { 'a.md': '```js\nlet a = <b/>;\n```' },
    'no-such-fault',
  ],
  [
    'branches left out',
    finding('bad-javascript', 'js block of line 1'),
    { 'a.md': '```js\nswitch (a) {\n  case 1: ...\n  case 2: ...\n}\n```' },
    'excerpt',
  ],
  [
    'headings that differ',
    finding('duplicate-heading', 'A', 2),
    { 'a.md': '# A\n# B' },
    'no-such-fault',
  ],
  [
    'a README in another folder',
    finding('missing-readme', 'x'),
    { 'docs/README.md': '' },
    'served',
  ],
];

it.each(FALSE_FINDINGS)('objects to a finding about %s', async (_, found, files, claim) => {
  expect(await verify(found, shelf(files))).toMatchObject({ agrees: false, claim });
});

const TRUE_FINDINGS: [string, Finding, Record<string, string>][] = [
  ['a missing file', finding('broken-link', 'b.md'), { 'a.md': '[x](b.md)', 'B.md': '' }],
  ['a missing heading', finding('broken-anchor', '#b'), { 'a.md': '# c\n\n```\n# b\n```' }],
  [
    'JSON with a hole',
    finding('bad-json', 'json block of line 1'),
    { 'a.md': '```json\n{"a": }\n```' },
  ],
  [
    'code with a hole',
    finding('bad-javascript', 'js block of line 1'),
    { 'a.md': '```js\nlet a = ;\n```' },
  ],
  ['two equal headings', finding('duplicate-heading', 'A', 2), { 'a.md': '# A\n# A' }],
  ['a package without licence', finding('missing-license', 'x'), { 'README.md': 'MIT' }],
];

it.each(TRUE_FINDINGS)('agrees on %s', async (_, found, files) => {
  expect(await verify(found, shelf(files))).toMatchObject({ agrees: true });
});
