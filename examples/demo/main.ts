import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { toMermaid } from 'tellask';
import { createProgress } from './progress.ts';
import { renderReport } from './report.ts';
import { runDesk } from './run-desk.ts';
import { renderSummary } from './summary.ts';

/** Audits the documentation of what is installed, or the folder that is named. */
async function main(folder = 'node_modules'): Promise<void> {
  const root = resolve(folder);
  const title = relative(process.cwd(), root) || root;
  console.log(`Documentation desk: ${title}\n`);
  const run = await runDesk({ root, title, progress: createProgress(process.stderr) });
  await mkdir('out', { recursive: true });
  await writeFile(join('out', 'report.md'), renderReport(run.audit));
  const { name = 'no file', messages = [] } = run.way ?? {};
  await writeFile(join('out', 'traffic.mmd'), toMermaid(messages, { title: name }));
  console.log(`\n${renderSummary(run)}`);
  console.log('What to mend:    out/report.md\nThe whole way:   out/traffic.mmd (Mermaid)');
}

try {
  await main(process.argv[2]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error('Usage: npm run demo [-- folder]');
  process.exitCode = 1;
}
