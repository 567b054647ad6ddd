import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const DECISIONS = readdirSync('docs/decisions').sort();
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'AGENTS.md', 'CHANGELOG.md'],
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...DECISIONS.map((name) => `docs/decisions/${name}`),
];

const textOf = (page: string): string => readFileSync(page, 'utf8');

/** The anchors that GitHub makes of the headings of a page. */
function anchorsOf(page: string): string[] {
  const headings = [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks(page: string): string[] {
  const targets = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^https?:/.test(target) && !leadsSomewhere(page, target))
    .map((target) => `${page}: ${target}`);
}

function leadsSomewhere(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : join(dirname(page), path);
  if (!existsSync(file)) return false;
  return anchor === undefined || anchorsOf(file).includes(anchor);
}

describe('the documents', () => {
  it('have no broken link or anchor', () => {
    expect(PAGES.flatMap(brokenLinks)).toEqual([]);
  });

  it('are there as the README says', () => {
    const names = ['architecture', 'delivery-guarantees', 'defaults', 'errors', 'glossary'];

    for (const name of names) expect(textOf('README.md')).toContain(`(docs/${name}.md)`);
    expect(textOf('LICENSE')).toContain('MIT License');
  });

  it('name no command that package.json does not have', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: object };
    const known = new Set(Object.keys(scripts));
    const named = PAGES.flatMap((page) =>
      [...textOf(page).matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => `${page}: ${name}`),
    );

    expect(named.filter((name) => !known.has(name.split(': ')[1] ?? ''))).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  const linesOf = (text: string): string[] =>
    text
      .split('\n')
      .map((line) => line.replace(/^ \* ?/, '').trim())
      .filter((line) => line !== '');

  it('has the drawing that stands at the head of src/bus.ts', () => {
    const drawing = /```text\n([\s\S]*?)```/.exec(textOf('docs/architecture.md'))?.[1] ?? '';
    const head = textOf('src/bus.ts').split('*/')[0] ?? '';

    const wanted = linesOf(head.slice(head.indexOf('context.publish'), head.indexOf('* admit:')));

    expect(linesOf(drawing)).toEqual(wanted.filter((line) => line !== '*'));
    expect(wanted.length).toBeGreaterThan(15);
  });

  it('has every folder of src', () => {
    const folders = readdirSync('src', { withFileTypes: true }).filter((e) => e.isDirectory());
    const page = textOf('docs/architecture.md');

    expect(folders.map(({ name }) => name).filter((name) => !page.includes(`\`${name}\``))).toEqual(
      [],
    );
  });
});

describe('the decisions', () => {
  it('are numbered without a gap, in the file name and in the heading', () => {
    const numbers = DECISIONS.map((name) => Number(name.slice(0, 4)));

    expect(numbers).toEqual(DECISIONS.map((_, index) => index + 1));
    for (const name of DECISIONS) {
      expect(textOf(`docs/decisions/${name}`)).toMatch(new RegExp(`^# ${name.slice(0, 4)}: .+`));
    }
  });

  it.each(DECISIONS)('%s has its four parts', (name) => {
    const headings = [...textOf(`docs/decisions/${name}`).matchAll(/^## (.+)$/gm)];

    expect(headings.map(([, heading]) => heading)).toEqual([
      'Context',
      'Decision',
      'Consequences',
      'Refused',
    ]);
  });
});
