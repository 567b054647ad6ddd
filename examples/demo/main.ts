import { relative, resolve } from 'node:path';
import { HELP, readArguments, type Wishes } from './arguments.ts';
import { agreeable, personAt } from './person.ts';
import { createProgress } from './progress.ts';
import { runDesk } from './run-desk.ts';
import { renderEnd, renderSummary } from './summary.ts';

/** Audits the documentation of what is installed, or the folder that is named. */
async function main({ folder, ask, words, fail }: Wishes): Promise<void> {
  const root = resolve(folder);
  const title = relative(process.cwd(), root) || root;
  console.log(`Documentation desk: ${title}\n`);
  const run = await runDesk({
    root,
    title,
    out: 'out',
    words,
    fail,
    person: ask ? personAt(process.stdin, process.stdout) : agreeable,
    progress: createProgress(process.stderr),
    show: (line) => process.stdout.write(line),
  });
  console.log(`\n${renderSummary(run)}`);
  console.log(renderEnd(run.published));
}

try {
  const wishes = readArguments(process.argv.slice(2), process.stdin.isTTY);
  if (wishes.help) console.log(HELP);
  else await main(wishes);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error('npm run demo -- --help says what it takes.');
  process.exitCode = 1;
}
