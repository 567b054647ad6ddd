import { readdir, readFile, stat } from 'node:fs/promises';
import { posix, resolve } from 'node:path';
import type { Library, Package } from './finding.ts';
import { extract } from './markdown/extract.ts';

/** Reads from the disk, below and around `root`. Folders and packages are looked up once. */
export function openLibrary(root: string): Library {
  const packages = new Map<string, Promise<Package | undefined>>();
  const library: Library = {
    kindOf: (path) => kindOf(resolve(root, path)),
    namesIn: (folder) => readdir(resolve(root, folder)).catch(() => []),
    textOf: (path) => readFile(resolve(root, path), 'utf8').catch(() => undefined),
    extractOf: async (path) => {
      const text = await library.textOf(path);
      return text === undefined ? undefined : extract(text);
    },
    packageOf: (path) => packageIn(posix.dirname(path)),
  };

  function packageIn(folder: string): Promise<Package | undefined> {
    const known = packages.get(folder);
    if (known !== undefined) return known;
    const found = findPackage(folder);
    packages.set(folder, found);
    return found;
  }

  async function findPackage(folder: string): Promise<Package | undefined> {
    const text = await library.textOf(posix.join(folder, 'package.json'));
    const manifest = text === undefined ? undefined : readManifest(text);
    const place = posixPath(resolve(root, folder));
    const installed = /\/node_modules\/(@[^/]+\/)?[^/@]+$/.test(place);
    // Deeper in an installed package a package.json is a fixture or a format switch, no package.
    const counts = installed || !place.includes('/node_modules/');
    if (counts && manifest?.name !== undefined) {
      return { folder: folder === '.' ? '' : folder, installed, ...manifest, name: manifest.name };
    }
    // A folder above the audited one still says whose documentation this is.
    const atTop =
      resolve(root, folder, '..') === resolve(root, folder) || folder.startsWith('../../..');
    return atTop ? undefined : packageIn(posix.join(folder, '..'));
  }

  return library;
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  return found.isDirectory() ? 'folder' : 'file';
}

function readManifest(text: string): { name?: string; repository: boolean; private: boolean } {
  try {
    const manifest: unknown = JSON.parse(text);
    if (typeof manifest !== 'object' || manifest === null)
      return { repository: false, private: false };
    const { name, repository, homepage, private: isPrivate } = manifest as Record<string, unknown>;
    const known = { repository: Boolean(repository ?? homepage), private: isPrivate === true };
    return typeof name === 'string' ? { name, ...known } : known;
  } catch {
    return { repository: false, private: false };
  }
}

function posixPath(path: string): string {
  return path.replaceAll('\\', '/');
}
