import type { Policy, PolicyContext } from '../../resilience/policy.ts';
import type { PolicyFeatures } from '../policy-conformance.ts';

/** What one case does with a policy. */
export interface PolicyCase {
  readonly name: string;
  run(trial: Trial): Promise<void>;
}

/** How a call ended. */
export type CallOutcome =
  | { readonly status: 'resolved'; readonly value: unknown }
  | { readonly status: 'rejected'; readonly error: unknown };

/** One policy, and how its calls end. */
export class Trial {
  readonly policy: Policy<unknown>;
  readonly attempts: number;
  readonly #pass: (() => Promise<void>) | undefined;

  constructor(
    policy: Policy<unknown>,
    features: PolicyFeatures,
    pass: (() => Promise<void>) | undefined,
  ) {
    this.policy = policy;
    this.attempts = features.attempts ?? 1;
    this.#pass = pass;
  }

  /** Calls through the policy, and waits for the end. Fails when it throws, or gives no promise. */
  async call(
    work: (context?: PolicyContext) => unknown,
    signal?: AbortSignal,
  ): Promise<CallOutcome> {
    const { ended } = this.begin(work, signal);
    return this.untilEnd(ended);
  }

  /** Calls through the policy; the caller goes on at once. */
  begin(
    work: (context?: PolicyContext) => unknown,
    signal?: AbortSignal,
  ): { readonly ended: Promise<CallOutcome> } {
    let promise: Promise<unknown>;
    try {
      promise = this.policy.execute(work, signal);
    } catch (error) {
      throw new Error(`execute threw where it must reject: ${String(error)}`);
    }
    if (typeof promise?.then !== 'function') throw new Error('execute must give a promise');
    return {
      ended: promise.then(
        (value): CallOutcome => ({ status: 'resolved', value }),
        (error: unknown): CallOutcome => ({ status: 'rejected', error }),
      ),
    };
  }

  /** Lets time pass while something is waited for. */
  async untilEnd<T>(ended: Promise<T>): Promise<T> {
    await this.#pass?.();
    return ended;
  }
}

/** What a call ended with, in the report of a failed case. */
export function describeOutcome(outcome: CallOutcome): string {
  return outcome.status === 'resolved'
    ? `it resolved with ${String(outcome.value)}`
    : `it rejected with ${String(outcome.error)}`;
}

/** Fails unless the very value came. */
export function expectResolved(outcome: CallOutcome, value: unknown, what: string): void {
  if (outcome.status === 'resolved' && Object.is(outcome.value, value)) return;
  throw new Error(`${what}: expected ${String(value)}, but ${describeOutcome(outcome)}`);
}

/** Fails unless it rejected with the very error. */
export function expectRejected(outcome: CallOutcome, error: unknown, what: string): void {
  if (outcome.status === 'rejected' && Object.is(outcome.error, error)) return;
  throw new Error(
    `${what}: expected a rejection with ${String(error)} itself, but ${describeOutcome(outcome)}`,
  );
}
