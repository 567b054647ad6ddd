// Runs every numbered example and compares what it prints with examples/expected/<name>.txt.
// With --update it writes these files instead.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import {
  commandOf,
  expectedOutput,
  numberedExamples,
  readsTypeScript,
} from './numbered-example.ts';

const update = process.argv.includes('--update');
const BUILT = 'temp/built-examples';
// One pass for all: a loader for each takes four times as long as the examples themselves.
if (!readsTypeScript) {
  await build({
    entryPoints: numberedExamples().map((file) => `examples/${file}`),
    outdir: BUILT,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
  });
}

function programOf(file: string): string[] {
  if (readsTypeScript) return commandOf(file);
  return [process.execPath, `${BUILT}/${file.replace(/\.ts$/, '.mjs')}`];
}

let failed = 0;
for (const file of numberedExamples()) {
  const [node, ...argv] = programOf(file) as [string, ...string[]];
  const startedAt = performance.now();
  const { status, stdout, stderr } = spawnSync(node, argv, { encoding: 'utf8', timeout: 30_000 });
  const expected = expectedOutput(file);
  if (update && status === 0) writeFileSync(expected, stdout);
  const same = existsSync(expected) && readFileSync(expected, 'utf8') === stdout;
  const ok = status === 0 && same;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${file} ${Math.round(performance.now() - startedAt)} ms`);
  if (ok) continue;
  failed++;
  console.error(status === 0 ? `It does not print what ${expected} says:` : `It ended ${status}:`);
  console.error(stdout, stderr);
}
process.exit(failed === 0 ? 0 : 1);
