import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ability } from '../contender.ts';
import type { Row } from '../row.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** A fresh Node, already running its first module, that imports one more. */
function importMs(entry: string): number {
  const program = `
    const startedAt = performance.now();
    await import(${JSON.stringify(entry)});
    process.stdout.write(String(performance.now() - startedAt));`;
  const args = ['--input-type=module', '--eval', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: here,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(/^\w*Error.*$/m.exec(stderr)?.[0] ?? stderr);
  return Number(stdout);
}

export const rows: readonly Row[] = [
  {
    name: 'import',
    title: 'import, beyond what Node itself takes to start',
    unit: 'ms',
    needs: 'entry',
    goals: [{ kind: 'limit', atMost: 30 }],
    prepare: async (contender) => {
      const entry = await ability(contender, 'entry');
      importMs(entry); // fills the disk cache
      return { sample: () => importMs(entry) };
    },
  },
];
