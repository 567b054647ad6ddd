/** A script did not go as it was written: the failure of a test, so not one of the library's codes. */
export class ScriptError extends Error {
  /** Whose script it is. */
  readonly agent: string;
  /** From 1; one more than there are when something came after the last. */
  readonly step: number;

  constructor(agent: string, step: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ScriptError';
    this.agent = agent;
    this.step = step;
  }
}
