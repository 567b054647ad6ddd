import { decodeEntities, lineFinder, MASK, maskInline, unescapeMarkdown } from './inline.ts';
import type { Line } from './lines.ts';

/** A link as it was written. `target` has its escapes undone and its percent signs kept. */
export interface Link {
  readonly kind: 'inline' | 'image' | 'definition' | 'html';
  readonly target: string;
  readonly line: number;
}

/** A name in HTML that a link can jump to. */
export interface Anchor {
  readonly name: string;
  readonly line: number;
}

const DEFINITION =
  /^ {0,3}\[(?!\^)([^\]\n]+)\]:[ \t]*\n?[ \t]*(<[^<>\n]*>|[^\s<]\S*)[ \t]*(?:["'(]|$)/gm;
const LINK_ATTRIBUTE = /\s(?:href|src)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))/gi;
const NAME_ATTRIBUTE = /\s(?:id|name)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))/gi;
const TAG = /<[a-z][^\s/>]*(?:\s[^<>]*)?>/gi;

/** Lists the links of a page in order of their lines. */
export function findLinks(lines: readonly Line[]): Link[] {
  const prose = maskInline(lines, ['prose']);
  const source = lines.map((line) => (line.kind === 'prose' ? line.text : '')).join('\n');
  const html = maskInline(lines, ['prose', 'html']);
  const links = [...inlineLinks(prose, source), ...definitions(prose, source), ...htmlLinks(html)];
  return links.sort((a, b) => a.line - b.line);
}

/** Lists the `id` and `name` attributes of a page, and the `{#custom}` ids of its headings. */
export function findAnchors(lines: readonly Line[]): Anchor[] {
  const text = maskInline(lines, ['prose', 'html']);
  const lineAt = lineFinder(text);
  const named = [...attributes(text, NAME_ATTRIBUTE)];
  const custom = text.matchAll(/^ {0,3}#{1,6} .*\{#([^}\s]+)\}\s*$/gm);
  const anchors = [...named, ...[...custom].map((m) => ({ value: m[1] ?? '', at: m.index }))];
  return anchors.map(({ value, at }) => ({ name: decodeEntities(value), line: lineAt(at) }));
}

function* inlineLinks(masked: string, source: string): Generator<Link> {
  const lineAt = lineFinder(masked);
  const open: number[] = [];
  for (let at = 0; at < masked.length; at++) {
    const char = masked[at];
    if (char === '\n' && /^\s*\n/.test(masked.slice(at + 1, at + 80))) open.length = 0;
    else if (char === '[') open.push(at);
    else if (char === ']') {
      const start = open.pop();
      const target = start === undefined ? undefined : targetAt(masked, at + 1, source);
      if (start === undefined || target === undefined) continue;
      const kind = masked[start - 1] === '!' ? 'image' : 'inline';
      yield { kind, target, line: lineAt(at) };
    }
  }
}

/** Reads `(target "title")` at a position: `<in brackets>`, or with its parentheses balanced. */
function targetAt(masked: string, at: number, source: string): string | undefined {
  const opening = /^\(\s*/.exec(masked.slice(at, at + 200))?.[0];
  if (opening === undefined) return undefined;
  const start = at + opening.length;
  const end = masked[start] === '<' ? masked.indexOf('>', start) + 1 : bareEnd(masked, start);
  if (end <= start || !/^\s*(\)|["'(][\s\S]*?["')]\s*\))/.test(masked.slice(end, end + 2_000))) {
    return undefined;
  }
  return cleanTarget(source.slice(start, end));
}

function bareEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text[at] ?? '';
    if (/\s/.test(char) || (char === ')' && depth === 0)) return at;
    if (char === '(') depth++;
    if (char === ')') depth--;
  }
  return -1;
}

function* definitions(masked: string, source: string): Generator<Link> {
  const lineAt = lineFinder(masked);
  for (const match of masked.matchAll(DEFINITION)) {
    const target = match[2] ?? '';
    const at = match.index + match[0].lastIndexOf(target);
    const line = lineAt(match.index);
    yield { kind: 'definition', target: cleanTarget(source.slice(at, at + target.length)), line };
  }
}

function* htmlLinks(text: string): Generator<Link> {
  const lineAt = lineFinder(text);
  for (const { value, at } of attributes(text, LINK_ATTRIBUTE)) {
    if (!value.includes(MASK))
      yield { kind: 'html', target: decodeEntities(value).trim(), line: lineAt(at) };
  }
}

function* attributes(text: string, pattern: RegExp): Generator<{ value: string; at: number }> {
  for (const tag of text.matchAll(TAG)) {
    for (const match of tag[0].matchAll(pattern)) {
      const value = match[1] ?? match[2] ?? match[3] ?? '';
      yield { value, at: tag.index + match.index };
    }
  }
}

function cleanTarget(raw: string): string {
  return unescapeMarkdown(raw.replace(/^<([\s\S]*)>$/, '$1'));
}
