import { ERROR_CODES, type ErrorCode } from './error-codes.ts';

const BRAND = Symbol.for('tellask.error');

/** Options of {@link TellaskError}. */
export interface TellaskErrorOptions {
  readonly cause?: unknown;
  /** Whether the stack is worth its cost: expected rejections are made without. @default true */
  readonly stack?: boolean;
}

/**
 * Every run-time error of this library: a stable `code` to branch on, the facts as fields, a hint
 * to read. Misuse of the API is a plain `TypeError` or `RangeError` instead.
 *
 * @example
 * ```ts
 * import { isTellaskError, MessageBus } from 'tellask';
 * const bus = new MessageBus();
 * try {
 *   bus.send('nobody', 'task.edit', {});
 * } catch (error) {
 *   isTellaskError(error, 'TELLASK_UNKNOWN_RECIPIENT'); // => true
 * }
 * ```
 */
export class TellaskError extends Error {
  /** Makes expected rejections (full, time-out, no responder) carry a stack too. @default false */
  static captureStacks = false;

  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options: TellaskErrorOptions = {}) {
    const limit = Error.stackTraceLimit;
    // A stack costs 3 to 10 microseconds; a full mailbox must stay cheaper than what fills it.
    const bare = options.stack === false && !new.target.captureStacks;
    if (bare) Error.stackTraceLimit = 0;
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    if (bare) Error.stackTraceLimit = limit;
    this.code = code;
  }

  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    return ERROR_CODES[this.code][0];
  }

  /** What to do about it, in a sentence or two. */
  get hint(): string {
    return ERROR_CODES[this.code][1];
  }
}
Object.defineProperty(TellaskError.prototype, 'name', {
  // On the prototype, as the built-in errors have it: an own field would show in every print-out.
  get(this: TellaskError): string {
    return this.constructor.name;
  },
  configurable: true,
});
Object.defineProperty(TellaskError.prototype, BRAND, { value: true });

/**
 * Tells whether `error` is one of this library's, also when another copy of the library made it.
 *
 * @example
 * ```ts
 * import { isTellaskError, MessageBus } from 'tellask';
 * const bus = new MessageBus();
 * const error = await bus.request('weather', {}).catch((reason: unknown) => reason);
 * isTellaskError(error); // => true
 * isTellaskError(error, 'TELLASK_NO_RESPONDER'); // => true
 * isTellaskError(new Error('of somebody else')); // => false
 * ```
 */
export function isTellaskError(error: unknown, code?: ErrorCode): error is TellaskError {
  if (typeof error !== 'object' || error === null) return false;
  try {
    if ((error as Record<symbol, unknown>)[BRAND] !== true) return false;
    return code === undefined || (error as { code?: unknown }).code === code;
  } catch {
    // Handlers throw anything, also what throws again when somebody looks at it.
    return false;
  }
}

/** Says of a misused option what was expected and what came. */
export function misuse(option: string, expected: string, received: unknown): TypeError {
  return new TypeError(`${option} must be ${expected}, but it is ${describe(received)}`);
}

/** Names a value without printing what may be secret. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string')
    return value.length <= 40 ? JSON.stringify(value) : `a string of ${value.length} characters`;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object'
    ? 'an object'
    : typeof value === 'undefined'
      ? 'undefined'
      : `a ${typeof value}`;
}
