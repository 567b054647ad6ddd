import type { Line } from './lines.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00A0',
};

/**
 * The text without what only looks like Markdown: code spans, comments and escaped characters
 * become private-use characters, one for one, so that positions stay and no link is seen in them.
 */
export function maskInline(lines: readonly Line[], kinds: readonly Line['kind'][]): string {
  const text = lines.map((line) => (kinds.includes(line.kind) ? line.text : '')).join('\n');
  // One expression, so that whichever begins first wins, as in CommonMark.
  const hidden =
    /\\[!-/:-@[-`{-~]|<!--[\s\S]*?-->|(?<!`)(`+)(?!`)(?:(?!\n\s*\n)[\s\S])*?(?<!`)\1(?!`)/g;
  return text.replace(hidden, (found) => found.replace(/[^\n]/g, MASK));
}

/** Stands for one hidden character. */
export const MASK = '\uE000';

/** Turns `&amp;` and `\_` in a link into the characters they stand for. */
export function unescapeMarkdown(text: string): string {
  return decodeEntities(text.replace(/\\([!-/:-@[-`{-~])/g, '$1'));
}

/** Turns `&amp;`, `&#38;` and `&#x26;` into `&`; leaves names that it does not know. */
export function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]+));/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? all;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

/** Makes a function from a position in `text` to its line, counted from 1. */
export function lineFinder(text: string): (position: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (position) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= position) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
