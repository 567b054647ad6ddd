// npm run bench [-- <part of a row's name> …] [--quick]
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Contender } from './contender.ts';
import { type Listed, listContenders, listRows } from './lists.ts';
import { type Effort, measure } from './measure.ts';
import { earlierResults, save } from './results.ts';
import type { Row } from './row.ts';
import { tableOf, verdictLine } from './table.ts';
import { judge } from './verdict.ts';

const { values: flags, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false } },
});
const effort: Effort = flags.quick ? { processes: 1, samples: 5 } : { processes: 3, samples: 7 };

function installPeers(): void {
  if (existsSync(new URL('node_modules', import.meta.url))) return;
  const here = fileURLToPath(new URL('.', import.meta.url));
  execFileSync('npm', ['ci', '--prefix', here, '--no-audit', '--no-fund'], { stdio: 'inherit' });
}

function takePart(row: Row, contenders: readonly Listed<Contender>[]): Listed<Contender>[] {
  return contenders.filter(
    ({ value }) => value.abilities[row.needs] !== undefined && !row.without?.includes(value.name),
  );
}

async function main(): Promise<void> {
  installPeers();
  const { compile } = await import('./compile.ts');
  await compile();
  const contenders = await listContenders();
  const isWanted = ({ value }: Listed<Row>): boolean =>
    wanted.length === 0 || wanted.some((part) => value.name.includes(part));
  const rows = (await listRows()).filter(isWanted);
  const results = earlierResults();
  for (const row of rows) {
    results.set(row.value.name, await measure(row, takePart(row.value, contenders), effort));
    console.log(`${tableOf(row.value, results.get(row.value.name) ?? {})}\n`);
  }
  const judged = rows.map(({ value: row }) => ({ row, verdicts: judge(row, results) }));
  for (const { row, verdicts } of judged) {
    for (const verdict of verdicts) console.log(verdictLine(row, verdict));
  }
  save(
    judged,
    results,
    contenders.map(({ value }) => value),
    effort,
  );
}

await main();
