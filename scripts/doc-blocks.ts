import { readdirSync, readFileSync } from 'node:fs';

/** A block of TypeScript in a document, or in a docstring of a source. */
export interface DocBlock {
  readonly file: string;
  /** The line at which the code begins, from 1. */
  readonly line: number;
  readonly code: string;
}

const FENCE = /^([ \t]*(?:\* ?)?)```(\w*)[^\n]*\n([\s\S]*?)^[ \t]*(?:\* ?)?```[ \t]*$/gm;

/** The blocks marked `ts` of a text; in a docstring, without the stars. */
export function blocksOf(file: string, text: string): DocBlock[] {
  return [...text.matchAll(FENCE)]
    .filter(([, , language]) => language === 'ts')
    .map((found) => {
      const [, indent = '', , body = ''] = found;
      const line = text.slice(0, found.index).split('\n').length + 1;
      return { file, line, code: unindent(body, indent) };
    });
}

/** All blocks under a path, which is a file or a folder. */
export function blocksIn(path: string): DocBlock[] {
  return filesIn(path).flatMap((file) => blocksOf(file, readFileSync(file, 'utf8')));
}

function filesIn(path: string): string[] {
  if (/\.\w+$/.test(path)) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter(({ name }) => name !== 'api')
    .flatMap((entry) => (entry.isDirectory() || /\.(md|ts)$/.test(entry.name) ? [entry.name] : []))
    .sort()
    .flatMap((name) => filesIn(`${path}/${name}`));
}

function unindent(body: string, indent: string): string {
  const lines = body.split('\n');
  return lines.map((line) => line.replace(indent, '').replace(/^\s*\*$/, '')).join('\n');
}

/** Puts the sources of the library where a document imports the package. */
export function againstSources(code: string, root: string): string {
  return code
    .replace(/(from )'tellask'/g, `$1'${root}/src/index.ts'`)
    .replace(/(from )'tellask\/agents'/g, `$1'${root}/src/agents.ts'`)
    .replace(/(from )'tellask\/testing'/g, `$1'${root}/src/testing.ts'`);
}

const CLAIM = /^( *)(.*?);?\s*\/\/ => (.+)$/;
const NAMED = /^(?:const|let) (\w+)\b/;

/**
 * Makes what a block claims come true or fail: `expression; // => value` becomes
 * `expect(expression).toEqual(value)`. The claim may stand on the next line, too.
 */
export function withClaims(code: string): string {
  const lines: string[] = [];
  for (const line of code.split('\n')) {
    const claim = CLAIM.exec(line);
    if (claim === null) lines.push(line);
    else lines.push(...asserted(claim, lines));
  }
  return lines.join('\n');
}

function asserted([, indent, before, value]: RegExpExecArray, earlier: string[]): string[] {
  const statement = before || (earlier.pop() ?? '').trim().replace(/;$/, '');
  const name = NAMED.exec(statement)?.[1];
  const claim = `expect(${name ?? statement}).toEqual(${value})`;
  return name === undefined ? [`${indent}${claim};`] : [`${indent}${statement}; ${claim};`];
}
