import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build } from 'esbuild';
import { ability } from '../contender.ts';
import type { Row } from '../row.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

async function gzipBytes(entry: string, options: BuildOptions): Promise<number> {
  const path = entry.startsWith('file:') ? fileURLToPath(entry) : entry;
  const result = await build({
    stdin: { contents: `export * from ${JSON.stringify(path)}`, resolveDir: here },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
    ...options,
  });
  return gzipSync(result.outputFiles?.[0]?.contents ?? '').length;
}

function size(name: string, title: string, options: BuildOptions, without: string[]): Row {
  return {
    name,
    title,
    unit: 'bytes',
    needs: 'entry',
    without,
    goals: [],
    prepare: async (contender) => {
      const bytes = await gzipBytes(await ability(contender, 'entry'), options);
      return { sample: () => bytes };
    },
  };
}

export const rows: readonly Row[] = [
  // moleculer requires its transporters by name and cannot be bundled
  size('size-all', 'the entry with its dependencies, minified, gzip', {}, ['moleculer']),
];
