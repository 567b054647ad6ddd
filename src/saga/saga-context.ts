import type { Voice } from '../delivery/context.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import type { Logger } from '../observe/logger.ts';

/**
 * What a step or a compensation is given: it speaks as whoever runs the saga, and all that one saga
 * says is one conversation. What it asks is called off when its signal aborts.
 */
export interface SagaContext<I, R extends object, C extends ContractShape = AnyContract>
  extends Voice<C> {
  /** The saga's name, and its id. */
  readonly saga: string;
  readonly id: string;
  /** The step's key: its name, or `group/name`. */
  readonly step: string;
  /** What the saga was given. */
  readonly input: I;
  /** What the steps before returned; a group gives an object of what its members returned. */
  readonly results: R;
  /** Which attempt this is, from 1; a step that is taken up after a crash begins at 1 again. */
  readonly attempt: number;
  /**
   * Aborts when the step is over its time, another of its group failed, the saga was cancelled or
   * another took it over. That of a compensation never aborts because the saga was cancelled.
   */
  readonly signal: AbortSignal;
  /**
   * `<saga>/<id>/<step>`, and the same with `/undo` for the compensation: the same over all
   * attempts and crashes. Pass it on to whatever the step does, so that it is done once.
   */
  readonly idempotencyKey: string;
  readonly log: Logger;
}
