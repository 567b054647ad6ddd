import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { filesOf } from './lists.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/**
 * Compiles what is measured to plain JavaScript in `bench/out`. The measured processes run
 * without tsx, whose loader takes part in every import and names every closure when it is made.
 * All files lie side by side, as deep below the root as their sources, so that
 * `../../dist/index.js` means the same in both.
 */
export async function compile(): Promise<void> {
  const parts = ['rows', 'contenders'].flatMap((folder) =>
    filesOf(folder).map((name) => ({
      in: `${here}${folder}/${name}.ts`,
      out: `${folder}-${name}`,
    })),
  );
  await build({
    entryPoints: [...parts, { in: `${here}child.ts`, out: 'child' }],
    outdir: `${here}out`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    external: ['../../dist/*'],
    logLevel: 'warning',
  });
}
