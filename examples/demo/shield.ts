import {
  type CircuitStatus,
  circuitBreaker,
  compose,
  type Env,
  fallback,
  isTellaskError,
} from 'tellask';
import type { Checker } from './finding.ts';

/** How a checker did that has a breaker around it. */
export interface Shielded {
  readonly name: string;
  /** Pages on which it failed. */
  readonly failed: number;
  /** Pages with which it was spared while its circuit was open. */
  readonly spared: number;
  readonly status: CircuitStatus;
}

/** A checker that may fail, and what there is to say of it. */
export interface Shield {
  readonly checker: Checker;
  report(): Shielded;
}

const OPEN_MS = 200;

/**
 * Lets `flaky` check, and `sure` where it fails. After three failures in a row it is left alone for
 * a while, then tried again with one page.
 */
export function shield(sure: Checker, flaky: Checker, env?: Env): Shield {
  const breaker = circuitBreaker({ failures: 3, openMs: OPEN_MS, ...(env && { env }) });
  let [failed, spared] = [0, 0];
  const check: Checker['check'] = (page, library) => {
    const standIn = fallback((error: unknown) => {
      if (isTellaskError(error, 'TELLASK_CIRCUIT_OPEN')) spared++;
      else failed++;
      return sure.check(page, library);
    });
    return compose(standIn, breaker).execute(() => flaky.check(page, library));
  };
  return {
    checker: { ...sure, check },
    report: () => ({ name: sure.name, failed, spared, status: breaker.status }),
  };
}
