/** What a line of a Markdown file is, as far as its readers care. */
export type LineKind = 'prose' | 'html' | 'code' | 'hidden';

/** One line with what surrounds it taken off: quotes markers are gone, hidden lines are empty. */
export interface Line {
  readonly kind: LineKind;
  readonly text: string;
}

/** A fenced block of code. `line` is the line of its opening fence, counted from 1. */
export interface CodeBlock {
  readonly language: string;
  readonly line: number;
  readonly text: string;
}

interface Fence {
  readonly mark: string;
  readonly indent: number;
  readonly container: number;
  readonly quoted: boolean;
  readonly language: string;
  readonly line: number;
  readonly body: string[];
}

const OPENING = /^(`{3,}|~{3,})\s*(.*)$/;
const LIST_ITEM = /^( *)([-*+]|\d{1,9}[.)])( +|$)/;
const RAW_HTML = /^ {0,3}<(script|pre|style|textarea)\b/i;
const HTML_BLOCK =
  /^ {0,3}<\/?(address|article|aside|blockquote|body|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|h[1-6]|header|hr|html|iframe|legend|li|link|main|menu|nav|ol|option|p|picture|section|summary|table|tbody|td|tfoot|th|thead|title|tr|ul)(\s|\/?>|$)/i;

/** Cuts a Markdown text into classified lines and fenced blocks, the way CommonMark reads blocks. */
export function readLines(text: string): { lines: Line[]; blocks: CodeBlock[] } {
  const reader = new LineReader();
  const raw = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const matter = frontMatterLength(raw);
  raw.forEach((line, index) => {
    if (index < matter) reader.hide();
    else reader.read(line.replace(/\t/g, '    '));
  });
  return reader.finish();
}

/** How many lines the YAML at the head takes: a `---` that holds no key is a rule, not a fence. */
function frontMatterLength(lines: readonly string[]): number {
  if (lines[0]?.trimEnd() !== '---' || !/^[\w-]+\s*:|^#/.test(lines[1] ?? '')) return 0;
  const end = lines.findIndex((line, index) => index > 0 && /^(---|\.\.\.)\s*$/.test(line));
  return end + 1;
}

class LineReader {
  readonly #lines: Line[] = [];
  readonly #blocks: CodeBlock[] = [];
  #fence: Fence | undefined;
  /** Where the text of the innermost list item begins; 0 outside of lists. */
  #listIndent = 0;
  /** What ends the block of HTML that we are in. */
  #htmlEnd: RegExp | undefined;
  #htmlHidden = false;
  #afterBlank = true;

  hide(): void {
    this.#lines.push({ kind: 'hidden', text: '' });
  }

  finish(): { lines: Line[]; blocks: CodeBlock[] } {
    if (this.#fence !== undefined) this.#closeFence(this.#fence);
    return { lines: this.#lines, blocks: this.#blocks };
  }

  read(raw: string): void {
    const quote = /^ {0,3}(?:> ?)+/.exec(raw)?.[0] ?? '';
    const inQuotedFence = this.#fence?.quoted === true;
    const text = this.#fence === undefined || inQuotedFence ? raw.slice(quote.length) : raw;
    const quoted = quote !== '';
    if (this.#fence !== undefined && this.#readCode(this.#fence, text, quoted)) return;
    if (this.#htmlEnd !== undefined) this.#readHtml(text, this.#htmlEnd);
    else this.#readText(text, quoted);
    this.#afterBlank = text.trim() === '';
  }

  /** Takes a line of the open block; false when the line ended the container of the block. */
  #readCode(fence: Fence, text: string, quoted: boolean): boolean {
    const indent = indentOf(text);
    const outside = text.trim() !== '' && indent < fence.container;
    if (outside || (fence.quoted && !quoted)) {
      this.#closeFence(fence);
      return false;
    }
    this.#lines.push({ kind: 'code', text: '' });
    const rest = text.trim();
    const closes = rest.startsWith(fence.mark) && rest.replaceAll(fence.mark.charAt(0), '') === '';
    if (closes && indent < fence.container + 4) this.#closeFence(fence);
    else fence.body.push(text.slice(Math.min(indent, fence.indent)));
    return true;
  }

  #closeFence({ language, line, body }: Fence): void {
    this.#blocks.push({ language, line, text: body.join('\n') });
    this.#fence = undefined;
  }

  #readHtml(text: string, end: RegExp): void {
    const kind = this.#htmlHidden ? 'hidden' : 'html';
    this.#lines.push({ kind, text: this.#htmlHidden ? '' : text });
    if (end.test(text)) this.#htmlEnd = undefined;
  }

  #readText(text: string, quoted: boolean): void {
    const indent = indentOf(text);
    const item = LIST_ITEM.exec(text);
    if (text.trim() !== '' && item === null && indent < this.#listIndent && this.#afterBlank) {
      this.#listIndent = 0;
    }
    const isItem = item !== null && indent < this.#listIndent + 4;
    if (isItem) this.#listIndent = item[0].trimEnd().length + Math.min(item[3]?.length ?? 1, 4);
    const start = isItem ? item[0].length : indent;
    const rest = text.slice(start);
    if (this.#openFence(rest, start, quoted)) return;
    if (!isItem && this.#afterBlank && indent >= this.#listIndent + 4) {
      // Indented code has no language, so there is nothing to check in it.
      this.#lines.push({ kind: 'code', text: '' });
      return;
    }
    this.#openHtml(rest);
    if (this.#htmlEnd !== undefined) this.#readHtml(text, this.#htmlEnd);
    else this.#lines.push({ kind: 'prose', text });
  }

  #openFence(rest: string, indent: number, quoted: boolean): boolean {
    const [, mark = '', info = ''] = OPENING.exec(rest) ?? [];
    if (mark === '' || (mark.startsWith('`') && info.includes('`'))) return false;
    const container = indent >= this.#listIndent ? this.#listIndent : 0;
    if (indent >= container + 4) return false;
    if (container === 0) this.#listIndent = 0;
    const language = /^[^\s{,:]*/.exec(info)?.[0].toLowerCase() ?? '';
    const line = this.#lines.length + 1;
    this.#fence = { mark, indent, container, quoted, language, line, body: [] };
    this.#lines.push({ kind: 'code', text: '' });
    return true;
  }

  #openHtml(text: string): void {
    const raw = RAW_HTML.exec(text)?.[1];
    this.#htmlHidden = raw !== undefined || /^ {0,3}<!--/.test(text);
    if (raw !== undefined) this.#htmlEnd = new RegExp(`</${raw}>`, 'i');
    else if (this.#htmlHidden) this.#htmlEnd = /-->/;
    else if (HTML_BLOCK.test(text)) this.#htmlEnd = /^\s*$/;
  }
}

function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}
