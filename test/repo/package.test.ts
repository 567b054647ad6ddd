import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSources } from './sources.ts';

const ROOT = new URL('../../', import.meta.url);

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly engines: Readonly<Record<string, string>>;
  readonly sideEffects: boolean;
  readonly type: string;
}
const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as Manifest;

function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: fileURLToPath(ROOT),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** Imports the built entry in a fresh Node that tells which packages were loaded on the way. */
const LOADED_PACKAGES = `
  import { createRequire, register } from 'node:module';
  const hook = \`
    import { writeSync } from 'node:fs';
    export async function load(url, context, next) {
      writeSync(1, url + '\\\\n');
      return next(url, context);
    }\`;
  register('data:text/javascript,' + encodeURIComponent(hook));
  await import('tellask');
  // What a CommonJS package requires does not pass the hook on every Node.
  console.log(Object.keys(createRequire(import.meta.url).cache).join('\\n'));`;

function loadedPackages(): string[] {
  const lines = run(process.execPath, '--input-type=module', '--eval', LOADED_PACKAGES).split('\n');
  const names = lines.map(
    (line) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(line.replaceAll('\\', '/'))?.[1],
  );
  return [...new Set(names.filter((name) => name !== undefined))].toSorted();
}

/** What a page links to inside the package, from its root. */
function linksOf(page: string): string[] {
  const text = readFileSync(new URL(page, ROOT), 'utf8');
  const targets = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^https?:/.test(target))
    .map((target) => join(dirname(page), target).replace(/\/$/, ''));
}

describe('the package', () => {
  it('depends on the five packages that it was given, and on no other', () => {
    expect(Object.keys(manifest.dependencies)).toEqual([
      'eventemitter3',
      'micromatch',
      'nanoid',
      'p-queue',
      'zod',
    ]);
  });

  it('is ESM without side effects, from Node 20.19 on', () => {
    expect(manifest.type).toBe('module');
    expect(manifest.sideEffects).toBe(false);
    expect(manifest.engines).toEqual({ node: '>=20.19.0' });
  });

  it('loads only the packages that the message path needs, so no zod and no p-queue', () => {
    expect(loadedPackages()).toEqual(['eventemitter3', 'nanoid']);
  });
});

describe('the bundle', () => {
  it('says the same under the same names as the single modules', async () => {
    for (const entry of ['index', 'agents', 'testing']) {
      const [bundled, single] = (await Promise.all(
        [`dist/bundle/${entry}.js`, `dist/${entry}.js`].map(
          (path) => import(new URL(path, ROOT).href),
        ),
      )) as [Record<string, unknown>, Record<string, unknown>];
      const named = (exports: Record<string, unknown>): string[] =>
        Object.entries(exports).map(([key, value]) => `${key} ${nameOf(value)}`);

      expect(named(bundled).toSorted()).toEqual(named(single).toSorted());
    }
  });

  it('is one library in both entries', async () => {
    const program = `
      import { MessageBus } from 'tellask';
      import { createTestBus } from 'tellask/testing';
      console.log(createTestBus().bus instanceof MessageBus, import.meta.resolve('tellask'));`;

    const said = run(process.execPath, '--input-type=module', '--eval', program);

    expect(said).toMatch(/^true file:.*\/dist\/bundle\/index\.js\n$/);
  });
});

function nameOf(value: unknown): string {
  return typeof value === 'function' ? value.name : typeof value;
}

describe('the packed package', () => {
  let files: string[];

  beforeAll(() => {
    const packed = run('npm', 'pack', '--dry-run', '--json', '--ignore-scripts');
    const [tarball] = JSON.parse(packed) as [{ files: { path: string }[] }];
    files = tarball.files.map(({ path }) => path);
  });

  it('holds the build, its sources and the texts for people, and nothing else', () => {
    const strays = files.filter(
      (path) =>
        !/^(?:(?:dist|src|docs|examples)\/|(?:README|CHANGELOG)\.md$|LICENSE$|package\.json$)/.test(
          path,
        ),
    );

    expect(strays).toEqual([]);
    expect(files.filter((path) => /\.(?:test|test-d|bench)\./.test(path))).toEqual([]);
  });

  it('holds whatever its README and its documents link to', () => {
    const pages = files.filter((path) => path.endsWith('.md'));

    const broken = pages.flatMap((page) =>
      linksOf(page).filter(
        (link) => !files.some((path) => path === link || path.startsWith(`${link}/`)),
      ),
    );

    expect(pages).toContain('docs/contracts.md');
    expect(broken).toEqual([]);
  });

  it('holds every source with its build, its types and the maps of both', () => {
    const wanted = readSources().flatMap(({ path }) => {
      const stem = `dist/${path.replace(/\.ts$/, '')}`;
      return [`src/${path}`, ...['js', 'js.map', 'd.ts', 'd.ts.map'].map((e) => `${stem}.${e}`)];
    });

    expect(wanted.filter((path) => !files.includes(path))).toEqual([]);
  });

  it('holds what Node loads: a file for each entry, what they share, and their maps', () => {
    const bundled = files.filter((path) => path.startsWith('dist/bundle/'));

    const names = bundled.map((path) => path.replace('dist/bundle/', ''));
    const entries = ['agents', 'index', 'testing'].flatMap((stem) => [
      `${stem}.js`,
      `${stem}.js.map`,
    ]);
    const shared = names.filter((name) => /^shared-\w+\.js$/.test(name));
    expect(names.toSorted()).toEqual(
      [...entries, ...shared.flatMap((name) => [name, `${name}.map`])].toSorted(),
    );
    // To open a file costs time: few of them.
    expect(shared.length).toBeLessThanOrEqual(4);
  });

  it('holds no build of a source that is gone', () => {
    const orphans = files
      .filter((path) => path.startsWith('dist/') && !path.startsWith('dist/bundle/'))
      .map((path) => path.replace(/^dist/, 'src').replace(/(?:\.d\.ts|\.js)(?:\.map)?$/, '.ts'))
      .filter((path) => !existsSync(new URL(path, ROOT)));

    expect(orphans).toEqual([]);
  });
});
