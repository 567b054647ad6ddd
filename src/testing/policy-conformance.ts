import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Policy } from '../resilience/policy.ts';
import { abortCases } from './policy-cases/abort.ts';
import { callCases } from './policy-cases/calls.ts';
import { resultCases } from './policy-cases/results.ts';
import type { PolicyCase } from './policy-cases/trial.ts';
import { Trial } from './policy-cases/trial.ts';
import type { ConformanceCase } from './store-conformance.ts';

/** What a policy does in its own way. */
export interface PolicyFeatures {
  /** How often it calls work that always fails. @default 1 */
  readonly attempts?: number;
  /** What it resolves with when the work has failed for good. @default it rejects */
  readonly instead?: unknown;
  /** Whether it hears of the abort of the caller, and hands a signal to the work. @default true */
  readonly signal?: boolean;
  /** Whether it calls nothing when the caller had aborted before. @default true */
  readonly refusesAborted?: boolean;
  /** Whether it gives up work that never ends, once enough time has passed. @default false */
  readonly givesUp?: boolean;
  /** Whether it refuses what is no function. @default true */
  readonly checks?: boolean;
}

/** Options of {@link policyConformance}. */
export interface PolicyConformanceOptions {
  readonly features?: PolicyFeatures;
  /**
   * Lets time pass until nothing waits for it, such as `() => t.run()` of the test bus whose Env the
   * policies have. @default real time passes
   */
  readonly pass?: () => Promise<void>;
}

const FEATURES: ReadonlySet<string> = new Set([
  'attempts',
  'instead',
  'signal',
  'refusesAborted',
  'givesUp',
  'checks',
]);

/**
 * What every `Policy` must do, as a list of cases; `makePolicy` gives each a policy of its own, that
 * is closed, has room for ten calls at a time and stands a failed one. Whoever writes a policy runs
 * them all, whatever the test runner.
 *
 * @throws TypeError for a feature that does not exist.
 * @example
 * ```ts
 * import { retry } from 'tellask';
 * import { policyConformance } from 'tellask/testing';
 * const cases = policyConformance(() => retry({ maxAttempts: 3, baseMs: 0 }), {
 *   features: { attempts: 3 },
 * });
 * for (const { run } of cases) await run(); // with vitest, jest, node:test: it(name, run)
 * cases.length > 15; // => true
 * ```
 */
export function policyConformance(
  makePolicy: () => Policy<unknown>,
  options: PolicyConformanceOptions = {},
): readonly ConformanceCase[] {
  const { features = {}, pass } = options;
  refuseUnknown(features, FEATURES, 'policyConformance');
  const { signal = true } = features;
  const cases: readonly PolicyCase[] = [
    ...resultCases(features),
    ...callCases(features),
    ...(signal ? abortCases(features) : []),
  ];
  return cases.map(({ name, run }) => ({
    name,
    run: () => run(new Trial(makePolicy(), features, pass)),
  }));
}
