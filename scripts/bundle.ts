// What Node loads: the build of all entries with what they share in files of its own, because to find and
// open 130 modules takes longer than all that they do. Bundlers get the single modules instead, of
// which they leave out what a program does not use.
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

// The names of shared files say what is in them: those of earlier builds would stay.
rmSync('dist/bundle', { recursive: true, force: true });

await build({
  entryPoints: ['dist/index.js', 'dist/agents.js', 'dist/testing.js'],
  outdir: 'dist/bundle',
  chunkNames: 'shared-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  // Loaded by the first workflow: most programs never need the package behind it.
  external: ['./dist/workflow/fan-out.js'],
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
});
