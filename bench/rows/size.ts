import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { ability } from '../contender.ts';
import type { Row } from '../row.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Everything the entry offers, as a bundler ships it. */
async function gzipBytes(entry: string): Promise<number> {
  const path = JSON.stringify(entry.startsWith('file:') ? fileURLToPath(entry) : entry);
  const result = await build({
    stdin: { contents: `import * as all from ${path}; globalThis.all = all;`, resolveDir: here },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
  });
  return gzipSync(result.outputFiles[0]?.contents ?? '').length;
}

export const rows: readonly Row[] = [
  {
    name: 'size',
    title: 'the whole entry with its dependencies, minified and gzipped',
    unit: 'bytes',
    needs: 'entry',
    without: ['moleculer'], // requires its transporters by name: it cannot be bundled
    goals: [],
    prepare: async (contender) => {
      const bytes = await gzipBytes(await ability(contender, 'entry'));
      return { sample: () => bytes };
    },
  },
];
