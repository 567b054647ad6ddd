import { TellaskError } from '../kernel/errors.ts';

// Expected rejections are made without a stack: `{ stack: false }`.

/** A bulkhead has no slot and no place in its queue. Code `TELLASK_BULKHEAD_FULL`. */
export class BulkheadFullError extends TellaskError {
  readonly limit: number;
  readonly queue: number;

  constructor(limit: number, queue: number) {
    super('TELLASK_BULKHEAD_FULL', `The bulkhead is full: ${limit} run and ${queue} wait`, {
      stack: false,
    });
    this.limit = limit;
    this.queue = queue;
  }
}

/** A call took longer than the `timeout` around it allows. Code `TELLASK_POLICY_TIMEOUT`. */
export class PolicyTimeoutError extends TellaskError {
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super('TELLASK_POLICY_TIMEOUT', `The call took longer than ${timeoutMs} ms`, { stack: false });
    this.timeoutMs = timeoutMs;
  }
}

/** More is said, or called, than a rate allows. Code `TELLASK_RATE_LIMITED`. */
export class RateLimitedError extends TellaskError {
  /** Who says too much; undefined when it was the rate of a `rateLimit` policy. */
  readonly agent: string | undefined;
  /** To whom, when the rate is that of a pair. */
  readonly recipient: string | undefined;
  /** Milliseconds. */
  readonly retryAfterMs: number;

  constructor(agent: string | undefined, recipient: string | undefined, retryAfterMs: number) {
    const whom = recipient === undefined ? '' : ` to ${recipient}`;
    const what = agent === undefined ? 'Too many calls' : `${agent} says too much${whom}`;
    super('TELLASK_RATE_LIMITED', `${what}: wait ${retryAfterMs} ms`, { stack: false });
    this.agent = agent;
    this.recipient = recipient;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The work and every alternative of its `fallback` failed. Code `TELLASK_FALLBACK`. */
export class FallbackError extends TellaskError {
  /** Why the work failed, which is the `cause`, and then each alternative that was tried. */
  readonly errors: readonly unknown[];

  constructor(errors: readonly unknown[]) {
    const tried = errors.length - 1;
    const rest = tried === 1 ? 'the alternative' : `${tried} alternatives`;
    super('TELLASK_FALLBACK', `The work failed, and ${rest} after it`, {
      cause: errors[0],
      stack: false,
    });
    this.errors = errors;
  }
}
