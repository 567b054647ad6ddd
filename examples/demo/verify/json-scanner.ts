/** What had to be forgiven to read a text as JSON. */
export type Leniency = 'comment' | 'trailing comma' | 'quotes' | 'ellipsis' | 'members' | 'several';

/** Leniencies that were needed, and where reading stopped all the same: a line from 0. */
export interface JsonScan {
  readonly needed: ReadonlySet<Leniency>;
  readonly faultLine: number | undefined;
}

/** Reads JSON and its sister languages by hand, and notes what strict JSON would refuse. */
export function scanJson(text: string): JsonScan {
  const scanner = new JsonScanner(text);
  const at = scanner.document();
  const faultLine = at === undefined ? undefined : text.slice(0, at).split('\n').length - 1;
  return { needed: scanner.needed, faultLine };
}

const WORD = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/y;
// A text that begins with `"name":` is the inside of an object.
const MEMBERS = /^\s*(?:\/\/.*\s*)*("(?:[^"\\]|\\.)*"|[A-Za-z_$][\w$]*)\s*:/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these in strings
const STRING = /"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
const SINGLE_QUOTED = /'(?:[^'\\\n]|\\.)*'/y;
const BARE_NAME = /[A-Za-z_$][\w$]*/y;

class Fault extends Error {}

class JsonScanner {
  readonly needed = new Set<Leniency>();
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where reading stopped, or undefined when all of it was read. */
  document(): number | undefined {
    try {
      if (MEMBERS.test(this.#text)) this.#inside();
      else this.#values();
      return undefined;
    } catch (error) {
      if (error instanceof Fault) return this.#at;
      throw error;
    }
  }

  #inside(): void {
    this.needed.add('members');
    this.#list('', () => this.#member());
  }

  #values(): void {
    this.#value();
    this.#blank();
    while (this.#at < this.#text.length) {
      this.needed.add('several');
      this.#value();
      this.#blank();
    }
  }

  #value(): void {
    this.#blank();
    if (this.#take('{')) this.#list('}', () => this.#member());
    else if (this.#take('[')) this.#list(']', () => this.#value());
    else if (!this.#match(WORD) && !this.#match(STRING)) this.#loose(SINGLE_QUOTED);
  }

  #member(): void {
    if (!this.#match(STRING)) this.#loose(SINGLE_QUOTED, BARE_NAME);
    this.#blank();
    if (!this.#take(':')) throw new Fault();
    this.#value();
  }

  /** Items up to `end`; the end of the text when that is empty. */
  #list(end: string, item: () => void): void {
    for (let first = true; ; first = false) {
      this.#blank();
      if (this.#isEnd(end)) return;
      if (!first) this.#separator(end);
      if (this.#isEnd(end)) return;
      item();
    }
  }

  #separator(end: string): void {
    const comma = this.#take(',');
    this.#blank();
    const last = end === '' ? this.#at >= this.#text.length : this.#text[this.#at] === end;
    if (comma && last && !this.needed.has('ellipsis')) this.needed.add('trailing comma');
    if (!comma && !this.needed.has('ellipsis')) throw new Fault();
  }

  #isEnd(end: string): boolean {
    return end === '' ? this.#at >= this.#text.length : this.#take(end);
  }

  #loose(...patterns: RegExp[]): void {
    if (!patterns.some((pattern) => this.#match(pattern))) throw new Fault();
    this.needed.add('quotes');
  }

  /** Skips blanks, comments and the `...` that stands for what was left out. */
  #blank(): void {
    const blank = /\s+|(\/\/[^\n]*|\/\*[\s\S]*?\*\/|^[ \t]*#[^\n]*)|(\.{3}|…)/my;
    blank.lastIndex = this.#at;
    for (let match = blank.exec(this.#text); match !== null; match = blank.exec(this.#text)) {
      if (match[1] !== undefined)
        this.needed.add(/\.{3}|…/.test(match[1]) ? 'ellipsis' : 'comment');
      if (match[2] !== undefined) this.needed.add('ellipsis');
      this.#at = blank.lastIndex;
    }
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at = pattern.lastIndex;
    return found !== null;
  }
}
