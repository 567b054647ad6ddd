import { decodeEntities } from './inline.ts';
import type { Line } from './lines.ts';
import { createSlugger } from './slug.ts';

/** A heading with the anchor that GitHub gives it. */
export interface Heading {
  readonly level: number;
  readonly text: string;
  readonly slug: string;
  readonly line: number;
}

type Found = Omit<Heading, 'slug'>;

const ATX = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;
const NO_PARAGRAPH = /^\s*$|^ {0,3}(#{1,6}(\s|$)|>|[-*+] |\d+[.)] |\||([-*_] *){3,}$)|^ {4}/;
const HTML_HEADING = /<h([1-6])\b[^>]*>([\s\S]*?)<\/h\1>/gi;

/** Lists the headings of a page in order: `# this`, underlined ones, and `<h2>` in HTML. */
export function findHeadings(lines: readonly Line[]): Heading[] {
  const slug = createSlugger();
  const found = [...markdownHeadings(lines), ...htmlHeadings(lines)];
  return found
    .sort((a, b) => a.line - b.line)
    .map((found) => ({ ...found, slug: slug(found.text) }));
}

function* markdownHeadings(lines: readonly Line[]): Generator<Found> {
  for (const [index, { kind, text }] of lines.entries()) {
    if (kind !== 'prose') continue;
    const atx = ATX.exec(text.replace(/^( {0,3}([-*+]|\d+[.)]) +)(?=#)/, ''));
    if (atx !== null) {
      yield { level: atx[1]?.length ?? 1, text: plainText(atx[2] ?? ''), line: index + 1 };
      continue;
    }
    const underline = UNDERLINE.exec(lines[index + 1]?.text ?? '');
    if (underline === null || NO_PARAGRAPH.test(text)) continue;
    const level = underline[1]?.startsWith('=') ? 1 : 2;
    const title = paragraphUpTo(lines, index);
    yield { level, text: plainText(title), line: index + 1 };
  }
}

/** The whole paragraph over an underline is the heading, not its last line alone. */
function paragraphUpTo(lines: readonly Line[], last: number): string {
  let first = last;
  while (first > 0 && isParagraph(lines[first - 1])) first--;
  return lines
    .slice(first, last + 1)
    .map((line) => line.text.trim())
    .join(' ');
}

function isParagraph(line: Line | undefined): boolean {
  return line?.kind === 'prose' && !NO_PARAGRAPH.test(line.text);
}

function* htmlHeadings(lines: readonly Line[]): Generator<Found> {
  const text = lines
    .map((line) => (line.kind === 'html' || line.kind === 'prose' ? line.text : ''))
    .join('\n');
  for (const match of text.matchAll(HTML_HEADING)) {
    const line = text.slice(0, match.index).split('\n').length;
    yield { level: Number(match[1]), text: plainText(match[2] ?? '').trim(), line };
  }
}

/** What a reader sees of a heading: no emphasis, no tags, no link targets, no pictures. */
function plainText(markdown: string): string {
  const codes: string[] = [];
  const text = markdown
    .replace(/(`+)(.+?)\1(?!`)/g, (_, __, code: string) => {
      codes.push(code.trim());
      return `\uE001${codes.length - 1}\uE002`;
    })
    .replace(/\s*\{#[^}]+\}\s*$/, '')
    .replace(/!\[[^\]]*\](\([^)]*\)|\[[^\]]*\])/g, '')
    .replace(/\[((?:[^[\]\\]|\\.)*)\]\((?:[^()]|\([^)]*\))*\)/g, '$1')
    .replace(/\[([^\]]+)\]\[[^\]]*\]/g, '$1')
    .replace(/<\/?[a-z][^>]*>/gi, '')
    .replace(/(\*{1,3}|~~)(?=\S)(.+?)\1/g, '$2')
    .replace(/(?<![\p{L}\p{N}_\\])(_{1,3})(?=\S)(.+?)(?<=[^\s\\])\1(?![\p{L}\p{N}_])/gu, '$2')
    .replace(/\\([!-/:-@[-`{-~])/g, '$1');
  return decodeEntities(text).replace(
    /\uE001(\d+)\uE002/g,
    (_, index) => codes[Number(index)] ?? '',
  );
}
