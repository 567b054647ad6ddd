import { TellaskError } from '../kernel/errors.ts';

/** A middleware, a rule or a restricted handle does not allow it. Code `TELLASK_DENIED`. */
export class DeniedError extends TellaskError {
  readonly agent: string;
  readonly action: string;
  readonly target: string;
  /** The place of the access rule that refused it; `undefined` when no single rule did. */
  readonly rule: number | undefined;

  constructor(agent: string, action: string, target: string, by = 'this handle', rule?: number) {
    super('TELLASK_DENIED', `${agent} may not ${action} ${target}: refused by ${by}`);
    this.agent = agent;
    this.action = action;
    this.target = target;
    this.rule = rule;
  }
}
