import { TellaskError } from '../kernel/errors.ts';

/** Somebody else works on the saga. Code `TELLASK_SAGA_RUNNING`. */
export class SagaRunningError extends TellaskError {
  readonly saga: string;
  readonly id: string;
  readonly owner: string;
  /** Milliseconds until its lease ends, unless it is renewed. */
  readonly retryAfterMs: number;

  constructor(saga: string, id: string, owner: string, retryAfterMs: number) {
    super('TELLASK_SAGA_RUNNING', `Saga ${saga} ${id} is in the hands of ${owner}`, {
      stack: false,
    });
    this.saga = saga;
    this.id = id;
    this.owner = owner;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The store has no saga of that id. Code `TELLASK_SAGA_NOT_FOUND`. */
export class SagaNotFoundError extends TellaskError {
  readonly saga: string;
  readonly id: string;

  constructor(saga: string, id: string) {
    super('TELLASK_SAGA_NOT_FOUND', `The store has no saga ${saga} ${id}`);
    this.saga = saga;
    this.id = id;
  }
}

/** The saga was begun with another definition. Code `TELLASK_SAGA_CHANGED`. */
export class SagaChangedError extends TellaskError {
  readonly saga: string;
  readonly id: string;

  constructor(saga: string, id: string, what: string) {
    super('TELLASK_SAGA_CHANGED', `Saga ${saga} ${id} cannot go on: ${what}`);
    this.saga = saga;
    this.id = id;
  }
}

/** The id was used with another input before. Code `TELLASK_SAGA_INPUT`. */
export class SagaInputError extends TellaskError {
  readonly saga: string;
  readonly id: string;

  constructor(saga: string, id: string) {
    super('TELLASK_SAGA_INPUT', `Saga ${saga} ${id} was begun with another input`);
    this.saga = saga;
    this.id = id;
  }
}

/** An input or a result is not JSON. Code `TELLASK_SAGA_DATA`. */
export class SagaDataError extends TellaskError {
  /** `the input`, or the step whose result it is. */
  readonly of: string;
  /** A JSON pointer (RFC 6901) to what is wrong. */
  readonly path: string;

  constructor(of: string, path: string, problem: string) {
    const where = path === '' ? '' : ` at ${path}`;
    super('TELLASK_SAGA_DATA', `${of} is not JSON: ${problem}${where}`);
    this.of = of;
    this.path = path;
  }
}

/** Another took the saga over; here nothing more was written or undone. Code `TELLASK_SAGA_LEASE_LOST`. */
export class SagaLeaseLostError extends TellaskError {
  readonly saga: string;
  readonly id: string;

  constructor(saga: string, id: string, options?: { readonly cause: unknown }) {
    super('TELLASK_SAGA_LEASE_LOST', `Saga ${saga} ${id} was taken over by another`, {
      ...options,
      stack: false,
    });
    this.saga = saga;
    this.id = id;
  }
}

/**
 * The saga stands still as it is in the store, because the store failed or the bus closed: the
 * cause says which. Nothing more is begun or undone here. Code `TELLASK_SAGA_STOPPED`.
 */
export class SagaStoppedError extends TellaskError {
  readonly saga: string;
  readonly id: string;

  constructor(saga: string, id: string, why: string, options?: { readonly cause: unknown }) {
    super('TELLASK_SAGA_STOPPED', `Saga ${saga} ${id} stands still: ${why}`, options);
    this.saga = saga;
    this.id = id;
  }
}

/** A step or a compensation took longer than its `timeoutMs`. Code `TELLASK_SAGA_STEP_TIMEOUT`. */
export class SagaStepTimeoutError extends TellaskError {
  readonly step: string;
  readonly timeoutMs: number;

  constructor(step: string, timeoutMs: number, options: { readonly cause?: unknown } = {}) {
    super('TELLASK_SAGA_STEP_TIMEOUT', `${step} took longer than ${timeoutMs} ms`, {
      ...options,
      stack: false,
    });
    this.step = step;
    this.timeoutMs = timeoutMs;
  }
}

/** A step was called off: another of its group failed. Code `TELLASK_SAGA_STEP_ABORTED`. */
export class SagaStepAbortedError extends TellaskError {
  /** The step that failed. */
  readonly because: string;

  constructor(because: string) {
    super('TELLASK_SAGA_STEP_ABORTED', `Called off: step ${because} failed`, { stack: false });
    this.because = because;
  }
}

/**
 * A step was undone while its `run`, which heeds no signal, went on: its effect may have come
 * afterwards. Code `TELLASK_SAGA_STEP_ABANDONED`.
 */
export class SagaStepAbandonedError extends TellaskError {
  readonly step: string;

  constructor(step: string) {
    super(
      'TELLASK_SAGA_STEP_ABANDONED',
      `${step} was undone while its run went on: its effect may have come afterwards`,
      { stack: false },
    );
    this.step = step;
  }
}
