// What Node loads: the build of all entries in one shared file and a door for each, because to find and
// open 130 modules takes longer than all that they do. Bundlers get the single modules instead, of
// which they leave out what a program does not use.
import { build } from 'esbuild';

await build({
  entryPoints: ['dist/index.js', 'dist/agents.js', 'dist/testing.js'],
  outdir: 'dist/bundle',
  chunkNames: 'tellask',
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
