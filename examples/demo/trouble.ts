import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import type { Agent } from 'tellask';
import type { Desk } from './desk.ts';
import type { Checker } from './finding.ts';
import type { ReadPage } from './read-page.ts';

/** Files that cannot be read, in a folder of their own: nobody's documentation is touched. */
export interface Trouble {
  /** A huge one, one that is no text, one that is away. Paths from the audited folder. */
  readonly paths: readonly string[];
  /** Brings the one that is away. */
  bringBack(): Promise<void>;
  clear(): Promise<void>;
}

export async function makeTrouble(root: string): Promise<Trouble> {
  const folder = await mkdtemp(join(tmpdir(), 'desk-'));
  const pathOf = (name: string) => relative(resolve(root), join(folder, name)).replaceAll(sep, '/');
  await writeFile(join(folder, 'huge.md'), '# A log that went astray\n'.repeat(100_000));
  await writeFile(join(folder, 'garbled.md'), Buffer.from('# Gr\u00FC\u00DFe\n', 'latin1'));
  return {
    paths: ['huge.md', 'garbled.md', 'away.md'].map(pathOf),
    bringBack: () => writeFile(join(folder, 'away.md'), '# I was away\n'),
    clear: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Checks as `checker` does, but fails from its `first` page to its `last`. */
export function failAt(first: number, last: number, checker: Checker): Checker {
  let page = 0;
  const check: Checker['check'] = async (...asked) => {
    page++;
    if (page >= first && page <= last) throw new Error(`${checker.name} is out of order`);
    return checker.check(...asked);
  };
  return { ...checker, check };
}

/** Reads as `readPage` does, but never comes back from its `nth` page. */
export function hangAt(nth: number, readPage: ReadPage): ReadPage {
  let page = 0;
  return (path, signal) => {
    page++;
    return page === nth ? new Promise(() => {}) : readPage(path, signal);
  };
}

/** Reads as `readPage` does, but its agent leaves with its `nth` page in hand. */
export function leaveAt(nth: number, agent: Agent<Desk>, readPage: ReadPage): ReadPage {
  let page = 0;
  return async (path, signal) => {
    const text = await readPage(path, signal);
    page++;
    if (page === nth) void agent.leave();
    return text;
  };
}
