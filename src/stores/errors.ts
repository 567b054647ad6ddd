import { TellaskError } from '../kernel/errors.ts';

/**
 * A commit found a key in another version than it expected, and wrote nothing; 0 stands for no such
 * key. Code `TELLASK_STORE_CONFLICT`.
 */
export class StoreConflictError extends TellaskError {
  readonly key: string;
  readonly expected: number;
  readonly actual: number;

  constructor(key: string, expected: number, actual: number) {
    const found = actual === 0 ? 'does not exist' : `has version ${actual}`;
    const wanted = expected === 0 ? 'not to exist' : `version ${expected}`;
    super('TELLASK_STORE_CONFLICT', `${key} ${found}, expected was ${wanted}`, { stack: false });
    this.key = key;
    this.expected = expected;
    this.actual = actual;
  }
}

/** The store was closed before the call. Code `TELLASK_STORE_CLOSED`. */
export class StoreClosedError extends TellaskError {
  constructor(operation: string) {
    super('TELLASK_STORE_CLOSED', `The store is closed: ${operation} was refused`, {
      stack: false,
    });
  }
}

/**
 * The commits behind `after` are not all there any more. Code `TELLASK_STORE_FORGOTTEN`.
 */
export class StoreForgottenError extends TellaskError {
  readonly after: number;
  /** The oldest revision that can still be read. */
  readonly oldestRevision: number;

  constructor(after: number, oldestRevision: number) {
    super(
      'TELLASK_STORE_FORGOTTEN',
      `Commits ${after + 1} to ${oldestRevision - 1} are forgotten; ${oldestRevision} is the oldest left`,
      { stack: false },
    );
    this.after = after;
    this.oldestRevision = oldestRevision;
  }
}

/** A commit would need more keys than the store has room for. Code `TELLASK_STORE_FULL`. */
export class StoreFullError extends TellaskError {
  readonly maxKeys: number;

  constructor(maxKeys: number) {
    super('TELLASK_STORE_FULL', `The store has no room for more than ${maxKeys} keys`, {
      stack: false,
    });
    this.maxKeys = maxKeys;
  }
}
