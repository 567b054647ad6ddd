import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { walkFolder } from '../../examples/demo/walk.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'walk-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function pathsIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const found of walkFolder(folder)) paths.push(found.path);
  return paths;
}

async function put(path: string): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), '');
}

it('finds pages and packages by name and skips installed packages', async () => {
  for (const path of ['b.md', 'a/README.MARKDOWN', 'a/package.json', 'c.txt']) await put(path);
  for (const path of ['node_modules/x/x.md', '.git/y.md', '.github/z.md']) await put(path);

  expect(await pathsIn(root)).toEqual([
    '.github/z.md',
    'a/README.MARKDOWN',
    'a/package.json',
    'b.md',
  ]);
  expect(await pathsIn(join(root, 'node_modules'))).toEqual(['x/x.md']);
});

it('does not follow symbolic links, so that a circle ends', async () => {
  await put('a/b.md');
  await symlink(root, join(root, 'a', 'again'));

  expect(await pathsIn(root)).toEqual(['a/b.md']);
});

it('says plainly what is wrong with a folder', async () => {
  await put('a.md');

  await expect(pathsIn(join(root, 'gone'))).rejects.toThrow('There is no folder');
  await expect(pathsIn(join(root, 'a.md'))).rejects.toThrow('is a file');
});
