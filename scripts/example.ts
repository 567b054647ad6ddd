// Runs one numbered example: `npm run example 03`, or any part of its name.
import { spawnSync } from 'node:child_process';
import { commandOf, numberedExamples } from './numbered-example.ts';

const wanted = process.argv[2];
const examples = numberedExamples();
const found = wanted === undefined ? undefined : examples.find((file) => file.includes(wanted));
if (found === undefined) {
  console.error(wanted === undefined ? 'Which one?' : `There is no example "${wanted}".`);
  console.error(
    examples.map((file) => `  npm run example ${file.slice(0, 2)}  ${file}`).join('\n'),
  );
  process.exit(1);
}

const [node, ...argv] = commandOf(found) as [string, ...string[]];
const { status } = spawnSync(node, argv, { stdio: 'inherit' });
process.exit(status ?? 1);
