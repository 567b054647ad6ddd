import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsOf, readSources, type Source } from './sources.ts';

/** A file may import from its own folder and from any folder of a lower layer. */
const LAYERS: Readonly<Record<string, number>> = {
  kernel: 0,
  message: 1,
  routing: 2,
  mailbox: 2,
  resilience: 2,
  access: 2,
  stores: 2,
  observe: 2,
  state: 3,
  delivery: 4,
  agents: 5,
  workflow: 6,
  saga: 6,
  selection: 6,
  transports: 7,
  wiring: 8,
  'bus.ts': 9,
  // On top of the bus: what agents do together.
  directory: 10,
  tasks: 10,
  collaboration: 10,
  testing: 10,
  'index.ts': 11,
  'agents.ts': 11,
  'testing.ts': 11,
};

/** The one file, or folder, through which each package comes in. */
const DOORS: Readonly<Record<string, string>> = {
  eventemitter3: 'kernel/events.ts',
  'p-queue': 'workflow/fan-out.ts',
  nanoid: 'kernel/real-env.ts',
  micromatch: 'message/',
  'node:module': 'message/',
  zod: 'directory/card-schema.ts',
  'node:crypto': 'state/checksum.ts',
  'node:async_hooks': 'delivery/ambient.ts',
};

const ENTRIES = ['index.ts', 'agents.ts', 'testing.ts'];

/** The folder of a file, or the file itself when it stands alone. */
const placeOf = (path: string): string => path.split('/')[0] as string;
const layerOf = (path: string): number => LAYERS[placeOf(path)] ?? Number.NaN;

function localImports({ path, code }: Source): string[] {
  const local = importsOf(code).filter((specifier) => specifier.startsWith('.'));
  return local.map((specifier) => posix.join(posix.dirname(path), specifier));
}

function wrongImports(source: Source): string[] {
  const allowed = (target: string): boolean =>
    placeOf(target) === placeOf(source.path) || layerOf(target) < layerOf(source.path);
  return localImports(source)
    .filter((target) => !allowed(target))
    .map((target) => `${source.path} -> ${target}`);
}

/** `name` of `name/part` and `@scope/name` of `@scope/name/part`. */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function packageImports(): { name: string; path: string }[] {
  return readSources().flatMap(({ path, code }) =>
    importsOf(code)
      .filter((specifier) => !specifier.startsWith('.'))
      .map((specifier) => ({ name: packageOf(specifier), path })),
  );
}

describe('the sources', () => {
  it('lie in a folder whose layer is known', () => {
    const lost = readSources().filter(({ path }) => Number.isNaN(layerOf(path)));

    expect(lost.map(({ path }) => path)).toEqual([]);
  });

  it('import only from lower layers and from their own folder', () => {
    expect(readSources().flatMap(wrongImports)).toEqual([]);
  });

  it('let each package in through its one door', () => {
    const strays = packageImports()
      .filter(({ name, path }) => !path.startsWith(DOORS[name] ?? '(no door)'))
      .map(({ name, path }) => `${path} imports ${name}`);
    const doors = new Map<string, Set<string>>();
    for (const { name, path } of packageImports()) {
      doors.set(name, (doors.get(name) ?? new Set()).add(path));
    }
    const wide = [...doors].filter(([, paths]) => paths.size > 1).map(([name]) => name);

    expect(strays).toEqual([]);
    expect(wide).toEqual([]);
  });

  it('are never imported through an entry, which has no logic of its own', () => {
    const users = readSources().filter((source) =>
      localImports(source).some((target) => ENTRIES.includes(target)),
    );

    expect(users.map(({ path }) => path)).toEqual([]);
  });
});

describe('the package', () => {
  it('has three entries', () => {
    const manifest = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as { exports: Record<string, string | { default: string }> };
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [] : [target.default],
    );

    expect(Object.keys(manifest.exports)).toEqual(['.', './agents', './testing', './package.json']);
    expect(targets).toEqual(['./dist/index.js', './dist/agents.js', './dist/testing.js']);
    for (const entry of ENTRIES) {
      expect(existsSync(new URL(`../../src/${entry}`, import.meta.url)), entry).toBe(true);
    }
  });
});

describe('the guard', () => {
  it('finds an import from above and from beside, and passes those from below', () => {
    const source = {
      path: 'mailbox/mailbox.ts',
      code: `
        import { realEnv } from '../kernel/real-env.ts';
        import type { Ring } from './ring.ts';
        export { Trie } from '../routing/trie.ts';
        import '../bus.ts';
        const later = import('../agents/agent.ts');`,
    };

    expect(wrongImports(source)).toEqual([
      'mailbox/mailbox.ts -> routing/trie.ts',
      'mailbox/mailbox.ts -> bus.ts',
      'mailbox/mailbox.ts -> agents/agent.ts',
    ]);
  });
});
