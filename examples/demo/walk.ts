import { readdir, stat } from 'node:fs/promises';
import { posix, resolve, sep } from 'node:path';

/** A file to look at. `path` is relative to the root, with forward slashes. */
export type Readable = { readonly kind: 'page' | 'package'; readonly path: string };

/** A folder in which nobody may look. */
export type Unreadable = {
  readonly kind: 'unreadable';
  readonly path: string;
  readonly reason: string;
};

/** Something that a walk came across. */
export type Found = Readable | Unreadable;

/**
 * Finds Markdown and package.json files, folder by folder in the order of their names. Installed
 * packages are skipped unless the root lies among them; symbolic links are not followed.
 *
 * @throws Error when the root is missing or no folder.
 */
export async function* walkFolder(root: string): AsyncGenerator<Found> {
  const found = await stat(root).catch(() => undefined);
  if (found === undefined) throw new Error(`There is no folder ${root}.`);
  if (!found.isDirectory()) throw new Error(`${root} is a file; give the folder that it is in.`);
  const amongInstalled = resolve(root).split(sep).includes('node_modules');
  yield* walk(root, '', amongInstalled);
}

async function* walk(root: string, folder: string, installed: boolean): AsyncGenerator<Found> {
  const entries = await readdir(resolve(root, folder), { withFileTypes: true }).catch(String);
  if (typeof entries === 'string') {
    yield { kind: 'unreadable', path: folder, reason: entries };
    return;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = posix.join(folder, entry.name);
    const skipped = entry.name === '.git' || (entry.name === 'node_modules' && !installed);
    if (entry.isDirectory() && !skipped) yield* walk(root, path, installed);
    else if (!entry.isFile()) continue;
    else if (/\.(md|markdown)$/i.test(entry.name)) yield { kind: 'page', path };
    else if (entry.name === 'package.json') yield { kind: 'package', path };
  }
}
