// The suites on the simulated Env, in orders of chance: a test that passes in each of them depends
// on no order that is not promised.
//   npm run test:shuffled              one seed
//   npm run test:shuffled -- 7 8 9     these seeds
//   npm run test:shuffled -- --short   without the longest files
//   npm run test:shuffled -- --flow    only what the bus does for its users, as the gate does
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const SUITES = [
  'flow',
  'delivery',
  'agents',
  'selection',
  'saga',
  'workflow',
  'state',
  'resilience',
];
/** The orders of the real Env are its own. */
const SIMULATED = '^(?!.*on the real Env)';
/** A choice between 100 000 ready lanes, 100 000 times, takes too long. */
const NEVER = ['bounds'];
/** What tries many programs of its own, in orders of its own. */
const LONG = [
  'circuit-enumeration',
  'durable-proof',
  'every-crash',
  'guards',
  'lifetime',
  'mutants',
  'proof',
  'random-sagas',
];

const words = process.argv.slice(2);
const flow = words.includes('--flow');
const short = flow || words.includes('--short');
const seeds = words.filter((word) => !word.startsWith('--'));
const left = short ? [...NEVER, ...LONG] : NEVER;

const files = (flow ? ['flow'] : SUITES).flatMap((suite) =>
  readdirSync(`test/${suite}`)
    .filter(
      (name) => name.endsWith('.test.ts') && !left.includes(name.slice(0, -'.test.ts'.length)),
    )
    .map((name) => `test/${suite}/${name}`),
);

const vitest = [
  'node_modules/vitest/vitest.mjs',
  'run',
  '--typecheck.enabled=false',
  `--testNamePattern=${SIMULATED}`,
];
for (const seed of seeds.length === 0 ? ['1'] : seeds) {
  console.log(`orders of seed ${seed}: TELLASK_SHUFFLE=${seed}`);
  const { status } = spawnSync(process.execPath, [...vitest, '--reporter=dot', ...files], {
    stdio: 'inherit',
    env: { ...process.env, TELLASK_SHUFFLE: seed },
  });
  if (status !== 0) process.exitCode = 1;
}
