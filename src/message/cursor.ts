import { InvalidPatternError } from './invalid.ts';

/** A place in a pattern that is being read. */
export class Cursor {
  readonly source: string;
  at = 0;

  constructor(source: string) {
    this.source = source;
  }

  /** The character that comes next, and nothing at the end. */
  get next(): string {
    return this.source.charAt(this.at);
  }

  /** Whether `text` comes next. */
  sees(text: string): boolean {
    return this.source.startsWith(text, this.at);
  }

  /** Steps over `length` characters. */
  take(length: number): string {
    const start = this.at;
    this.at += length;
    return this.since(start);
  }

  /** What was read since `start`. */
  since(start: number): string {
    return this.source.slice(start, this.at);
  }

  /** The error that refuses the pattern at `position`. */
  refuse(problem: string, position: number = this.at): InvalidPatternError {
    return new InvalidPatternError(this.source, { position, problem });
  }
}
