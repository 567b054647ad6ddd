import type { StateTransaction } from '../../src/index.ts';
import { randomChoice } from '../../src/testing/random-choice.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import type { StateLibrary } from './state-program.ts';

const KEYS = ['k.a', 'k.b', 'k.c'];

type Step =
  | { readonly do: 'get' | 'delete' | 'increase'; readonly key: string }
  | { readonly do: 'copy'; readonly key: string; readonly to: string }
  | { readonly do: 'count'; readonly key: string };

/** What a step gives, and what it does, on the state and on a Map alike. */
interface Values {
  get(key: string): number | undefined;
  set(key: string, value: number): void;
  delete(key: string): void;
  count(): number;
}

function take({ ...step }: Step, values: Values): string {
  const value = values.get(step.key) ?? 0;
  if (step.do === 'delete') values.delete(step.key);
  else if (step.do === 'increase') values.set(step.key, value + 1);
  else if (step.do === 'copy') values.set(step.to, value * 2 + 1);
  else if (step.do === 'count') values.set(step.key, values.count());
  return `${step.key} ${value}`;
}

const inMap = (map: Map<string, number>): Values => ({
  get: (key) => map.get(key),
  set: (key, value) => void map.set(key, value),
  delete: (key) => void map.delete(key),
  count: () => map.size,
});

const inTransaction = (tx: StateTransaction): Values => ({
  get: (key) => tx.get(key)?.value as number | undefined,
  set: (key, value) => void tx.set(key, value),
  delete: (key) => void tx.delete(key),
  count: () => tx.list('k.*').length,
});

interface Ran {
  readonly steps: readonly Step[];
  /** What each run saw, up to where it was stopped. */
  readonly runs: readonly (readonly string[])[];
  /** Of the commit; undefined when it gave up. */
  readonly revision: number | undefined;
}

/**
 * Random transactions side by side over three keys; tells what is wrong: that they did not happen
 * as if one after the other, in the order of the revisions, or that one saw what never was.
 */
export async function tryTransactions(
  { SimEnv, StateManager }: StateLibrary,
  seed: number,
): Promise<string | undefined> {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const anyKey = (): string => KEYS[below(KEYS.length)] as string;
  const env = new SimEnv({ choose: randomChoice(seed) });
  const state = new StateManager({ env });
  const pause = (): Promise<void> =>
    new Promise((run) => env.post({ kind: 'state', label: 'step', order: 0, posted: false, run }));

  const start = async (id: number): Promise<Ran> => {
    const kinds = ['get', 'delete', 'increase', 'copy', 'count'] as const;
    const steps = Array.from({ length: 1 + below(4) }, () => {
      return { do: kinds[below(kinds.length)], key: anyKey(), to: anyKey() } as Step;
    });
    const runs: string[][] = [];
    const run = state.transaction(
      async (tx) => {
        const seen: string[] = [];
        runs.push(seen);
        for (const step of steps) {
          await pause();
          seen.push(take(step, inTransaction(tx)));
        }
        tx.set(`mark.${id}`, id);
      },
      { retries: 1 },
    );
    const isDone = await run.then(
      () => true,
      () => false,
    );
    return { steps, runs, revision: isDone ? state.get(`mark.${id}`)?.revision : undefined };
  };

  const started = Promise.all(Array.from({ length: 6 }, (_, id) => start(id)));
  await env.settle();
  const all = await started;
  return wrongIn(all, new Map(state.list('k.*').map(({ key, value }) => [key, value as number])));
}

function wrongIn(all: readonly Ran[], end: ReadonlyMap<string, number>): string | undefined {
  const committed = all.filter(({ revision }) => revision !== undefined);
  committed.sort((one, other) => (one.revision as number) - (other.revision as number));
  const map = new Map<string, number>();
  const instants = [new Map(map)];
  for (const { steps, runs } of committed) {
    const expected = steps.map((step) => take(step, inMap(map))).join();
    if (runs.at(-1)?.join() !== expected) return `saw ${runs.at(-1)?.join()}, not ${expected}`;
    instants.push(new Map(map));
  }
  const shown = (values: ReadonlyMap<string, number>): string => [...values].sort().join(' ');
  if (shown(map) !== shown(end)) return `ends at ${shown(end)}, and not at ${shown(map)}`;
  return wrongSight(all, instants);
}

/** Also a run that failed has seen one instant. */
function wrongSight(
  all: readonly Ran[],
  instants: readonly ReadonlyMap<string, number>[],
): string | undefined {
  for (const { steps, runs } of all) {
    for (const seen of runs) {
      const sights = instants.map((instant) => {
        const values = inMap(new Map(instant));
        return steps
          .slice(0, seen.length)
          .map((step) => take(step, values))
          .join();
      });
      if (!sights.includes(seen.join())) return `saw ${seen.join()}, which never was`;
    }
  }
  return undefined;
}
