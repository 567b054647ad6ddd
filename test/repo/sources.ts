import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const SRC = new URL('../../src', import.meta.url).pathname;

/** A file of the library: its path from `src` with `/`, and its text without comments. */
export interface Source {
  readonly path: string;
  readonly code: string;
}

/** All files of `src`. */
export function readSources(): Source[] {
  return readdirSync(SRC, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({
      path: relative(SRC, file).split(sep).join('/'),
      code: withoutComments(readFileSync(file, 'utf8')),
    }))
    .toSorted((a, b) => a.path.localeCompare(b.path));
}

const COMMENT_OR_STRING =
  /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;

/** Takes comments out; what looks like one inside a string stays. */
export function withoutComments(code: string): string {
  return code.replace(COMMENT_OR_STRING, (found) => (found.startsWith('/') ? '' : found));
}

/** What a file imports or re-exports, dynamically too. A name ends on its line, and a literal is none: `'from' | 'to'`. */
export function importsOf(code: string): string[] {
  const found = code.matchAll(/(?:(?<!['"])\bfrom|\bimport)\s*\(?\s*(['"])([^'"\n]+)\1/g);
  return [...found].map((match) => match[2] as string);
}
