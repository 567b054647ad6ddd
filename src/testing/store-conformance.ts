import type { Store } from '../stores/store.ts';
import { bulkCases } from './store-cases/bulk.ts';
import { commitCases } from './store-cases/commit.ts';
import { concurrencyCases } from './store-cases/concurrency.ts';
import { lifeCases } from './store-cases/life.ts';
import { logCases } from './store-cases/log.ts';
import { modelCases } from './store-cases/model.ts';
import { refusalCases } from './store-cases/refusals.ts';
import { scanCases } from './store-cases/scan.ts';
import { stateCases } from './store-cases/state.ts';

/** What a store does in its own way. */
export interface StoreFeatures {
  /** How many of its last commits `read` can give back; `Infinity` for all. @default Infinity */
  readonly commits?: number;
  /** Whether it refuses keys, values and options that make no sense. @default true */
  readonly checks?: boolean;
}

/** Options of {@link storeConformance}. */
export interface StoreConformanceOptions {
  readonly features?: StoreFeatures;
  /** Opens what was just closed once more, for a store that outlives its process. */
  readonly reopen?: (closed: Store) => Store | Promise<Store>;
  /** Random programs that are compared with a model, each of 40 calls. @default 20 */
  readonly seeds?: number;
}

/** One case of a conformance suite, to be run by any test runner. */
export interface ConformanceCase {
  readonly name: string;
  /** Rejects with an Error that says what was expected. */
  run(): Promise<void>;
}

/** What one case does with an empty store. */
export interface StoreCase {
  readonly name: string;
  run(store: Store): Promise<void>;
}

/**
 * What every `Store` must do, as a list of cases; `makeStore` gives each an empty store, which
 * the case closes. Whoever writes a store runs them all, whatever the test runner.
 *
 * @example
 * ```ts
 * import { MemoryStore } from 'tellask';
 * import { storeConformance } from 'tellask/testing';
 * const cases = storeConformance(() => new MemoryStore());
 * for (const { run } of cases) await run(); // with vitest, jest, node:test: it(name, run)
 * cases.length > 30; // => true
 * ```
 */
export function storeConformance(
  makeStore: () => Store | Promise<Store>,
  options: StoreConformanceOptions = {},
): readonly ConformanceCase[] {
  const { features = {}, reopen, seeds = 20 } = options;
  const { commits = Infinity, checks = true } = features;
  const cases = [
    ...commitCases(),
    ...scanCases(),
    ...logCases(commits),
    ...concurrencyCases(),
    ...bulkCases(),
    ...modelCases(seeds),
    ...stateCases(),
    ...(checks ? refusalCases() : []),
    ...lifeCases(reopen),
  ];
  return cases.map((storeCase) => ({
    name: storeCase.name,
    run: () => runOn(makeStore, storeCase),
  }));
}

async function runOn(makeStore: () => Store | Promise<Store>, { run }: StoreCase): Promise<void> {
  const store = await makeStore();
  try {
    await run(store);
  } finally {
    await store.close();
  }
}
