import { TellaskError } from '../kernel/errors.ts';

/** A script did not go as it was written. Code `TELLASK_SCRIPT`. */
export class ScriptError extends TellaskError {
  /** Whose script it is. */
  readonly agent: string;
  /** From 1; one more than there are when something came after the last. */
  readonly step: number;

  constructor(agent: string, step: number, message: string, options?: ErrorOptions) {
    super('TELLASK_SCRIPT', message, options);
    this.agent = agent;
    this.step = step;
  }
}
