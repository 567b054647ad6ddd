import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extract } from '../../../examples/demo/markdown/extract.ts';

const slugsOf = (text: string) => extract(text).headings.map((heading) => heading.slug);
const targetsOf = (text: string) => extract(text).links.map((link) => link.target);

describe('headings', () => {
  it.each([
    ['# Set up', ['set-up']],
    ['## A\n## A\n## A', ['a', 'a-1', 'a-2']],
    ['## A-1\n## A\n## A', ['a-1', 'a', 'a-2']],
    ['# `run(x)` & *more*', ['runx--more']],
    ['# snake_case and _emphasis_', ['snake_case-and-emphasis']],
    ['# [text](target.md) ![picture](x.png)', ['text-']],
    ['# 🚀 Rocket', ['-rocket']],
    ['# Closed ##', ['closed']],
    ['<h2 id="x">In <b>HTML</b></h2>', ['in-html']],
    ['Under\n===', ['under']],
    ['> # Quoted', ['quoted']],
  ])('gives %j the anchors %j', (text, slugs) => {
    expect(slugsOf(text)).toEqual(slugs);
  });

  it.each(['#no blank', '\\# escaped', '    # indented', '- item\n---', '| a |\n---', '`# code`'])(
    'sees none in %j',
    (text) => {
      expect(slugsOf(text)).toEqual([]);
    },
  );
});

describe('links', () => {
  it.each([
    ['[a](b.md)', ['b.md']],
    ['[![a](b.png)](c.md)', ['b.png', 'c.md']],
    ['[a](b(1).md) [c](<d e.md> "title")', ['b(1).md', 'd e.md']],
    ['[a]: b.md "title"\n[^1]: note.md', ['b.md']],
    ['[a](b\\_c.md?x=1&amp;y=2)', ['b_c.md?x=1&y=2']],
    ['<a href="b.md">x</a> <img src=c.png>', ['b.md', 'c.png']],
  ])('reads %j as %j', (text, targets) => {
    expect(targetsOf(text)).toEqual(targets);
  });

  it.each([
    '`[a](b)`',
    '\\[a](b)',
    '[a] (b)',
    '<!-- [a](b) -->',
    'text <!-- [a](b)\n[c](d) --> text',
    '[a](b c)',
    '\n    [a](b)',
  ])('sees none in %j', (text) => {
    expect(targetsOf(text)).toEqual([]);
  });

  it('counts lines from 1, with every sort of line end', () => {
    const links = extract('\uFEFF---\ntitle: x\n---\r\n[a](b)\r[c](d)\n').links;

    expect(links.map((link) => link.line)).toEqual([4, 5]);
  });
});

describe('fenced code', () => {
  it('keeps shorter fences inside longer ones', () => {
    const { blocks } = extract('````md\n```js\nx\n```\n````');

    expect(blocks).toEqual([{ language: 'md', line: 1, text: '```js\nx\n```' }]);
  });

  it('takes the indentation of a list off its code', () => {
    const { blocks } = extract('- a\n\n  ```js\n  if (x) {\n    y();\n  }\n  ```\n');

    expect(blocks[0]?.text).toBe('if (x) {\n  y();\n}');
  });

  it('ends a block with the quote that it is in', () => {
    const { blocks, links } = extract('> ~~~json\n> {}\n\n[a](b)');

    expect(blocks).toEqual([{ language: 'json', line: 1, text: '{}' }]);
    expect(links).toHaveLength(1);
  });

  it('reads the language up to what follows it', () => {
    const { blocks } = extract('```JS{1,3} title="x"\n```');

    expect(blocks[0]?.language).toBe('js');
  });
});

it('collects the names that HTML and headings give', () => {
  const { anchors } = extract('<a name="one"></a>\n\n## Two {#two}\n\n<p id=three>');

  expect(anchors.map((anchor) => anchor.name)).toEqual(['one', 'three', 'two']);
});

it('never throws and never tells of a line that is not there', () => {
  const piece = fc.constantFrom('#', '`', '```', '~~~', '[', ']', '(', ')', '<', '>', '!', '\\');
  const text = fc.array(
    fc.oneof(piece, fc.constantFrom('\n', ' ', '- ', 'a', '<!--', '-->', '---')),
  );

  fc.assert(
    fc.property(text, (parts) => {
      const source = parts.join('');
      const { headings, links, anchors, blocks } = extract(source);
      const last = source.split('\n').length;
      for (const { line } of [...headings, ...links, ...anchors, ...blocks]) {
        expect(line).toBeGreaterThan(0);
        expect(line).toBeLessThanOrEqual(last);
      }
    }),
    { seed: 7, numRuns: 2_000 },
  );
});
