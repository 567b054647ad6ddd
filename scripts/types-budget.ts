// The cost of the types: a contract of 500 topics and 500 requests, with 100 subscriptions, and 100
// calls of publish, request and serve each, checked by the compiler of today and the one before.
// Prints the times, and bounds what causes them: the instantiations, which are the same on any machine.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';

const FAMILIES = 500;
const CALLS = 100;
const MAX_INSTANTIATIONS = 1_000_000;
const FOLDER = 'temp/types-budget';

/** Families that are hard on the types: few first segments, half of them with a parameter. */
function keyOf(n: number): string {
  const verb = ['created', 'changed', 'approved', 'deleted'][n % 4];
  return n % 2 === 0 ? `area${n % 5}.{id}.part${n}.${verb}` : `area${n % 5}.doc${n}.part.${verb}`;
}

/** One pattern of every kind in turn: exact, wildcards, globs, braces, a template. */
function patternOf(n: number): string {
  const even = 2 * n;
  const odd = 2 * n + 1;
  const forms = [
    keyOf(odd),
    `area${even % 5}.*.part${even}.*`,
    `area${n % 5}.**`,
    `area${odd % 5}.doc${odd}*.*.?*ed`,
    `{area1,area2}.*.*.{created,deleted}`,
    '**.approved',
    '*.*.part*.deleted',
    `area${n % 5}.{name}.*.*`,
  ];
  return forms[n % forms.length] as string;
}

function addressOf(n: number): string {
  return keyOf(n).replace('{id}', 'x7');
}

/** Every subscription reads the payload, so that the union is really computed. */
function program(): string {
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
  const topics = numbers(FAMILIES).map((n) => `    '${keyOf(n)}': { n: ${n}; text: string };`);
  const requests = numbers(FAMILIES).map(
    (n) => `    '${keyOf(n)}': { input: { n: ${n} }; output: string; chunk: number };`,
  );
  const calls = numbers(CALLS).map(
    (n) => `bus.subscribe('${patternOf(n)}', (m) => use(m.family, m.payload.n satisfies number));
bus.publish('${addressOf(n * 3)}', { n: ${n * 3}, text: '' });
bus.request('${addressOf(n * 3)}', { n: ${n * 3} }).then((answer) => use(answer.length));
bus.serve('${addressOf(n * 5)}', (r) => String(r.payload.n satisfies ${n * 5}));`,
  );
  return `import { fakeBus } from '../../test/types/fake-bus.ts';
interface Big {
  topics: {
${topics.join('\n')}
  };
  requests: {
${requests.join('\n')}
  };
}
declare function use(...values: unknown[]): void;
const bus = fakeBus<Big>();
${calls.join('\n')}
// @ts-expect-error the types are really checked
bus.subscribe('area1.nothing.*', () => {});
`;
}

function config(files: readonly string[]): string {
  return JSON.stringify({ extends: '../../tsconfig.json', include: [], files });
}

interface Cost {
  readonly ms: number;
  readonly instantiations: number;
}

/** What a compiler takes, or the end of the process when it finds an error. */
function check(compiler: string, project: string): Cost {
  const argv = ['-p', project, '--extendedDiagnostics'];
  const start = performance.now();
  const run = spawnSync(`node_modules/.bin/${compiler}`, argv, { encoding: 'utf8' });
  const ms = Math.round(performance.now() - start);
  if (run.status !== 0) {
    console.error(`${compiler} ${project} failed\n${run.stdout}${run.stderr}`);
    process.exit(1);
  }
  return { ms, instantiations: Number(/^Instantiations: +(\d+)$/m.exec(run.stdout)?.[1]) };
}

mkdirSync(FOLDER, { recursive: true });
writeFileSync(`${FOLDER}/big.ts`, program());
writeFileSync(`${FOLDER}/big.json`, config(['big.ts']));
writeFileSync(`${FOLDER}/base.json`, config(['../../test/types/fake-bus.ts']));

let failed = false;
for (const compiler of ['tsc', 'tsc6']) {
  const base = check(compiler, `${FOLDER}/base.json`);
  const { ms, instantiations } = check(compiler, `${FOLDER}/big.json`);
  const ok = instantiations <= MAX_INSTANTIATIONS;
  failed ||= !ok;
  console.log(
    `${ok ? 'ok  ' : 'FAIL'} ${compiler}: ${instantiations} of ${MAX_INSTANTIATIONS} instantiations, ` +
      `${ms} ms for ${FAMILIES} topics and requests with ${4 * CALLS} calls (${base.ms} ms without)`,
  );
}
process.exit(failed ? 1 : 0);
