import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { Mutant } from './mutants.ts';
import type { Library } from './world.ts';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const ENTRY = `
  export { MessageBus, RejectedError } from './index.ts';
  export { SimEnv } from './testing/sim-env.ts';
`;
const load = createRequire(import.meta.url);

/** Builds a copy of the library with one mutant in it; the sources stay as they are. */
export async function buildMutant<L = Library>(mutant: Mutant, entry = ENTRY): Promise<L> {
  const folder = await mkdtemp(join(tmpdir(), 'tellask-mutant-'));
  const outfile = join(folder, 'library.cjs');
  try {
    await build({
      stdin: { contents: entry, resolveDir: SRC, loader: 'ts' },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      logLevel: 'silent',
      plugins: [replacing(mutant)],
      outfile,
    });
    return load(outfile) as L;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function replacing({ file, text, replacement }: Mutant): Plugin {
  return {
    name: 'mutant',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        if (path !== join(SRC, file)) return { contents: source, loader: 'ts' };
        const parts = source.split(text);
        if (parts.length !== 2) {
          throw new Error(`${file} has ${parts.length - 1} times, and not once: ${text}`);
        }
        return { contents: parts.join(replacement), loader: 'ts' };
      });
    },
  };
}
