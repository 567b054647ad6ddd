import { TellaskError } from '../kernel/errors.ts';

/**
 * The store of dead letters failed, or cannot keep a letter: it is in memory, and nothing is lost
 * while the process lives. Code `TELLASK_LETTER_STORE`.
 */
export class LetterStoreError extends TellaskError {
  /** The letter that it is about; undefined when it is about the store. */
  readonly letterId: string | undefined;

  constructor(problem: string, options: { readonly letterId?: string; readonly cause?: unknown }) {
    const cause = 'cause' in options ? { cause: options.cause } : {};
    super('TELLASK_LETTER_STORE', problem, { ...cause, stack: false });
    this.letterId = options.letterId;
  }
}
