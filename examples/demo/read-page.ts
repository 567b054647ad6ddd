import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { RejectedError } from 'tellask';

/** Reads the text of a page. */
export type ReadPage = (path: string, signal: AbortSignal) => Promise<string>;

// Larger files were not written by hand.
const MOST_BYTES = 1_000_000;

/**
 * Reads pages below `root`. What will be as bad at the next try is rejected for good: a huge file,
 * and one that is no UTF-8. Other failures, such as a file that is away, may pass.
 */
export function pagesBelow(root: string): ReadPage {
  return async (path, signal) => {
    const file = resolve(root, path);
    const { size } = await stat(file);
    if (size > MOST_BYTES) {
      throw new RejectedError(`It has ${size} bytes; pages have at most ${MOST_BYTES}.`);
    }
    return decode(await readFile(file, { signal }));
  };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new RejectedError('It is not UTF-8 text; save it as UTF-8.', { cause });
  }
}
