import { TellaskError } from '../kernel/errors.ts';

/** Options of {@link RestartError}. */
export interface RestartErrorOptions {
  /** What went wrong. */
  readonly cause?: unknown;
}

/**
 * Thrown by a handler that can no longer trust its agent: a supervised agent begins anew with fresh
 * state. The message that met it ends by its own rule; whoever asked gets RestartedError. Code
 * `TELLASK_RESTART`.
 *
 * @example
 * ```ts
 * import { MessageBus, RestartError } from 'tellask';
 * const bus = new MessageBus();
 * let lives = 0;
 * bus.register('counter', {
 *   start(agent) {
 *     lives++;
 *     let count = 0;
 *     agent.serve('add', ({ payload }) => {
 *       if (payload === 'salt') throw new RestartError('cannot count any more');
 *       return ++count;
 *     });
 *   },
 * });
 * await bus.request('add', 1); // => 1
 * await bus.request('add', 'salt').catch((error: Error) => error.message);
 * // => 'counter was restarted: cannot count any more'
 * await bus.request('add', 1); // => 1
 * lives; // => 2
 * ```
 */
export class RestartError extends TellaskError {
  constructor(reason: string, options: RestartErrorOptions = {}) {
    super('TELLASK_RESTART', reason, options);
  }
}

/**
 * A supervised agent was restarted while it worked on this: a running handler gets it as the reason
 * of its signal, an asker as his error. Code `TELLASK_RESTARTED`.
 */
export class RestartedError extends TellaskError {
  readonly agent: string;

  constructor(agent: string, cause: unknown) {
    super('TELLASK_RESTARTED', `${agent} was restarted: ${inWords(cause)}`, {
      cause,
      stack: false,
    });
    this.agent = agent;
  }
}

/** Handlers throw anything, also what throws again when somebody looks at it. */
function inWords(cause: unknown): string {
  try {
    return cause instanceof Error ? String(cause.message) : String(cause);
  } catch {
    return 'for a reason that cannot be read';
  }
}
