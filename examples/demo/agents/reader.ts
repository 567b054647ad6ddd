import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Agent } from 'tellask';
import type { Desk } from '../desk.ts';
import { extract } from '../markdown/extract.ts';

/** Options of {@link makeReader}. */
export interface ReaderOptions {
  readonly root: string;
  /** Larger files are refused: they were not written by hand. @default 1_000_000 */
  readonly maxBytes?: number;
}

/** Serves `extract`. Several readers share the work: each request goes to the least busy one. */
export function makeReader(
  agent: Agent<Desk>,
  { root, maxBytes = 1_000_000 }: ReaderOptions,
): void {
  agent.serve('extract', async (request, context) => {
    const { path } = request.payload;
    const file = resolve(root, path);
    const { size } = await stat(file);
    if (size > maxBytes) throw new Error(`${path} has ${size} bytes, more than ${maxBytes}.`);
    const text = await readFile(file, { encoding: 'utf8', signal: context.signal });
    return { path, text, extract: extract(text) };
  });
}
