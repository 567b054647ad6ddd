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
