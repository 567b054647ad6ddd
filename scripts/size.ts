// The size budget: what one import costs, bundled, minified and gzipped. `own` leaves the packages
// out, `all` counts what the bundle takes of them as well. A budget above its goal goes down with
// what is saved, and up only by what a feature of the design costs (docs/decisions/0012); every run
// says how far away the goal is.
import { readFileSync } from 'node:fs';
import { type Bundle, gzipBytes, MESSAGE_BUS } from './bundle-size.ts';

interface Budget extends Bundle {
  readonly what: string;
  readonly maxBytes: number;
  /** What the design promises, where that is not reached yet. */
  readonly goalBytes?: number;
}

const budgets: readonly Budget[] = [
  {
    what: 'MessageBus, own code',
    code: MESSAGE_BUS,
    counts: 'own',
    maxBytes: 94 * 1024,
    goalBytes: 15 * 1024,
  },
  {
    what: 'MessageBus, packages included',
    code: MESSAGE_BUS,
    counts: 'all',
    maxBytes: 96 * 1024,
  },
  {
    what: 'isTellaskError',
    code: "export { isTellaskError } from './dist/index.js'",
    counts: 'all',
    maxBytes: 4_400,
  },
  {
    what: 'TellaskError',
    code: "export { TellaskError } from './dist/index.js'",
    counts: 'all',
    maxBytes: 4_400,
  },
  {
    // With the bus, of which the registry reads the facts: about 30 KB are the entry's alone.
    what: 'tellask/agents, own code',
    code: "export * from './dist/agents.js'",
    counts: 'own',
    maxBytes: 128 * 1024,
  },
  {
    what: 'tellask/testing, own code',
    code: "export * from './dist/testing.js'",
    counts: 'own',
    maxBytes: 150 * 1024,
  },
];

/** What the README says that the bus costs, in the order of the table. */
function saidInReadme(): number[] {
  const table = readFileSync('README.md', 'utf8').matchAll(/\| ([\d.]+) KB gzip \|/g);
  return [...table].map(([, kilobytes]) => Number(kilobytes) * 1024);
}

/** A figure that is a kilobyte away from the truth fails: `npm run docs:costs` measures anew. */
async function checkReadme(): Promise<void> {
  const said = saidInReadme();
  for (const [row, counts] of (['own', 'all'] as const).entries()) {
    const bytes = await gzipBytes({ code: MESSAGE_BUS, counts });
    const claimed = said[row] ?? 0;
    const ok = Math.abs(bytes - claimed) <= 1024;
    console.log(
      `${ok ? 'ok  ' : 'FAIL'} README says ${Math.round(claimed)} B, measured ${bytes} B`,
    );
    if (ok) continue;
    console.log('Run `npm run build && npm run docs:costs` and commit README.md.');
    process.exitCode = 1;
  }
}

for (const budget of budgets) {
  const bytes = await gzipBytes(budget);
  const ok = bytes <= budget.maxBytes;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${bytes} / ${budget.maxBytes} B gzip  ${budget.what}`);
  if (!ok) process.exitCode = 1;
  const { goalBytes = Infinity } = budget;
  if (bytes > goalBytes) {
    console.log(`note: ${budget.what}: ${bytes} B gzip, the goal of ${goalBytes} B is not reached`);
  }
}
await checkReadme();
