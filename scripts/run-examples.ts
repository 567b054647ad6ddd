// Runs every numbered example and compares what it prints with examples/expected/<name>.txt.
// With --update it writes these files instead.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { commandOf, expectedOutput, numberedExamples } from './numbered-example.ts';

const update = process.argv.includes('--update');
let failed = 0;
for (const file of numberedExamples()) {
  const [node, ...argv] = commandOf(file) as [string, ...string[]];
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
