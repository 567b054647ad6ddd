// The size budget: what one import costs, bundled, minified and gzipped. `own` leaves the packages
// out, `all` counts what the bundle takes of them as well. A budget above its goal goes down with
// what is saved, and up only by what a feature of the design costs (docs/decisions/0012); every run
// says how far away the goal is.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

interface Budget {
  readonly what: string;
  readonly code: string;
  readonly counts: 'own' | 'all';
  readonly maxBytes: number;
  /** What the design promises, where that is not reached yet. */
  readonly goalBytes?: number;
}

const budgets: readonly Budget[] = [
  {
    what: 'MessageBus, own code',
    code: "export { MessageBus } from './dist/index.js'",
    counts: 'own',
    maxBytes: 80 * 1024,
    goalBytes: 15 * 1024,
  },
  {
    what: 'MessageBus, packages included',
    code: "export { MessageBus } from './dist/index.js'",
    counts: 'all',
    maxBytes: 82 * 1024,
  },
  {
    what: 'isTellaskError',
    code: "export { isTellaskError } from './dist/index.js'",
    counts: 'all',
    maxBytes: 3_400,
  },
  {
    what: 'TellaskError',
    code: "export { TellaskError } from './dist/index.js'",
    counts: 'all',
    maxBytes: 3_400,
  },
  {
    what: 'tellask/agents, own code',
    code: "export * from './dist/agents.js'",
    counts: 'own',
    maxBytes: 1_000,
  },
  {
    what: 'tellask/testing, own code',
    code: "export * from './dist/testing.js'",
    counts: 'own',
    maxBytes: 91 * 1024,
  },
];

async function gzipBytes({ code, counts }: Budget): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: '.' },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
    ...(counts === 'own' ? { packages: 'external' as const } : {}),
  });
  return gzipSync(outputFiles[0]?.contents ?? '').length;
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
