import { TellaskError } from '../kernel/errors.ts';

/**
 * What a supervisor has answered is no decision: nobody does anything in this round, and it is told
 * so in the next. Code `TELLASK_DECISION`.
 */
export class DecisionError extends TellaskError {
  readonly supervisor: string;
  /** Who could have been given a task. */
  readonly participants: readonly string[];

  constructor(supervisor: string, why: string, participants: readonly string[]) {
    const said = `What ${supervisor} answered is no decision: ${why}`;
    super('TELLASK_DECISION', `${said}; there are ${participants.join(', ')}`, { stack: false });
    this.supervisor = supervisor;
    this.participants = participants;
  }
}
