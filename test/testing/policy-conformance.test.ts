import * as cockatiel4 from 'cockatiel';
import * as cockatiel3 from 'cockatiel3';
import { describe, expect, it } from 'vitest';
import {
  bulkhead,
  circuitBreaker,
  compose,
  fallback,
  type Policy,
  rateLimit,
  retry,
  timeout,
} from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { type PolicyConformanceOptions, policyConformance } from '../../src/testing.ts';
import { brokenPolicy, type PolicyFlaw } from './broken-policy.ts';

const env = new SimEnv();
const pass = () => env.run();

const OURS: readonly (readonly [string, () => Policy<unknown>, PolicyConformanceOptions])[] = [
  ['retry', () => retry({ maxAttempts: 3, env }), { features: { attempts: 3 }, pass }],
  ['a retry that calls once', () => retry({ maxAttempts: 1, env }), { pass }],
  ['circuitBreaker', () => circuitBreaker({ env }), { pass }],
  ['timeout', () => timeout({ timeoutMs: 5_000, env }), { features: { givesUp: true }, pass }],
  ['bulkhead', () => bulkhead({ limit: 10 }), {}],
  ['rateLimit', () => rateLimit({ limit: 1_000, perMs: 1_000, env }), { pass }],
  ['fallback', () => fallback({ value: 'instead' }), { features: { instead: 'instead' } }],
  ['compose of none', () => compose(), {}],
  [
    'compose of all',
    () =>
      compose(
        retry({ maxAttempts: 2, env }),
        circuitBreaker({ env }),
        bulkhead({ limit: 10 }),
        timeout({ timeoutMs: 1_000, env }),
      ),
    { features: { attempts: 2, givesUp: true }, pass },
  ],
];

type Suite = readonly [string, () => Policy<unknown>, PolicyConformanceOptions];
const OF_COCKATIEL = { checks: false, refusesAborted: false };

const THEIRS = (
  [
    ['cockatiel 3', cockatiel3],
    ['cockatiel 4', cockatiel4 as unknown as typeof cockatiel3],
  ] as const
).flatMap(([make, { retry, handleAll, ConstantBackoff, noop, bulkhead }]): Suite[] => {
  const again = () =>
    retry(handleAll, { maxAttempts: 2, backoff: new ConstantBackoff(0) }) as Policy<unknown>;
  return [
    [`retry of ${make}`, again, { features: { ...OF_COCKATIEL, attempts: 3 } }],
    [`noop of ${make}`, () => noop as Policy<unknown>, { features: OF_COCKATIEL }],
    [`bulkhead of ${make}`, () => bulkhead(10) as Policy<unknown>, { features: OF_COCKATIEL }],
  ];
});

/** False after so many turns of the event loop as no case needs. */
async function tooLate(): Promise<boolean> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  return false;
}

/** The cases that fail, or do not come to an end. */
async function failing(
  makePolicy: () => Policy<unknown>,
  options?: PolicyConformanceOptions,
): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of policyConformance(makePolicy, options)) {
    const ended = run().then(
      () => true,
      () => false,
    );
    if (!(await Promise.race([ended, tooLate()]))) failed.push(name);
  }
  return failed;
}

const FLAWED: readonly (readonly [flaw: PolicyFlaw, caught: string])[] = [
  ['turns falsy results into undefined', 'gives back what the work returns, or resolves with: 0'],
  ['waits for Promises alone', 'waits for a thenable that is no Promise'],
  ['wraps what it rejects with', 'rejects with what the work rejects with, itself: an Error'],
  ['writes on errors', 'rejects with what the work rejects with, itself: a frozen object'],
  ['throws what the work throws', 'rejects with what the work throws, itself: an Error'],
  [
    'takes returned errors for failures',
    'gives back what the work returns, or resolves with: an Error that is only returned',
  ],
  ['gives no promise', 'gives back what the work returns, or resolves with: a text'],
  ['calls twice', 'calls work that succeeds once'],
  ['calls failing work again', 'calls work that always fails once'],
  ['ends before the work', 'does not end before the work has'],
  ['lets one call run at a time', 'gives each of many calls at a time its own result'],
  ['lets one call run at a time', 'may be called by the work that it calls'],
  ['fails for ever once it has failed', 'goes on after a call that failed'],
  [
    'calls although the caller had aborted',
    'does not call the work when the caller had aborted before',
  ],
  ['hands on no signal', 'lets the work hear of the abort of the caller'],
  [
    'says of every abort only that there was one',
    'rejects with the reason when the caller aborts while the work runs',
  ],
  ['calls again after an abort', 'calls no more once the caller has aborted'],
  ['drops a result for an abort', 'keeps the result of work that ends well in spite of an abort'],
  ['leaves a listener on the signal', 'leaves no listener on the signal of the caller'],
  ['takes anything for work', 'rejects, and does not throw, when it is given no function'],
];

// F:M
describe('the conformance suite of policies', () => {
  it.each([...OURS, ...THEIRS])('passes %s', async (_name, makePolicy, options) => {
    for (const { name, run } of policyConformance(makePolicy, options)) {
      await expect(run(), name).resolves.toBe(undefined);
    }
  });

  it.each(FLAWED)('fails a policy that %s: %s', async (flaw, caught) => {
    expect(await failing(() => brokenPolicy(flaw))).toContain(caught);
  });

  it('passes one that only calls', async () => {
    expect(await failing(() => brokenPolicy())).toEqual([]);
  });

  it('fails a policy that is not as its features say', async () => {
    const features = { attempts: 2, givesUp: true };

    expect(await failing(() => brokenPolicy(), { features })).toEqual([
      'calls work that always fails 2 times',
      'gives back the result of the first call that succeeds, and calls no more',
      'gives up work that never ends, and aborts the signal that it was given',
    ]);
    expect(await failing(() => brokenPolicy(), { features: { instead: 1 } })).toContain(
      'resolves with what it has instead when the work fails',
    );
  });

  it('leaves out what a policy does in its own way', () => {
    const names = (features: object) =>
      policyConformance(() => brokenPolicy(), { features }).map(({ name }) => name);
    const left = names({}).filter(
      (name) => !names({ signal: false, checks: false }).includes(name),
    );

    expect(new Set(names({})).size).toBe(names({}).length);
    expect(left.length).toBe(7);
    expect(() => names({ attemps: 2 })).toThrow('policyConformance has no option attemps');
  });
});
