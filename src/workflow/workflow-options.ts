import { readMs } from '../delivery/said.ts';
import type { Env } from '../kernel/env.ts';
import { envOf } from '../kernel/env-of.ts';
import { misuse } from '../kernel/errors.ts';
import { realEnv } from '../kernel/real-env.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Policy } from '../resilience/policy.ts';
import type { WorkflowProgress } from './progress.ts';

/** Options that every workflow has. */
export interface WorkflowOptions<V extends object = object> {
  /** What errors and progress call it. @default the name of the function */
  readonly name?: string;
  /**
   * Who asks in the tasks: an agent, the bus, or a context, of which the workflow then inherits the
   * conversation, the time and the cancellation.
   */
  readonly as?: V;
  /** Milliseconds for all of it; never longer than what `as` has left. @default Infinity */
  readonly timeoutMs?: number;
  /** Calls all of it off. */
  readonly signal?: AbortSignal;
  /** Stands around each task for itself. */
  readonly policy?: Policy;
  /** Hears how far it is, from the beginning on. What it throws changes nothing. */
  readonly onProgress?: (progress: WorkflowProgress) => void;
  /** Where time comes from. @default that of `as`, else the real one */
  readonly env?: Env;
}

export const WORKFLOW_OPTIONS: Readonly<Record<keyof WorkflowOptions, true>> = {
  name: true,
  as: true,
  timeoutMs: true,
  signal: true,
  policy: true,
  onProgress: true,
  env: true,
};

/** Refuses options that make no sense; `known` has the names of all of them. */
export function checkWorkflowOptions(
  verb: string,
  options: WorkflowOptions,
  known: ReadonlySet<string>,
): void {
  if (typeof options !== 'object' || options === null) {
    throw misuse(`The options of ${verb}`, 'an object', options);
  }
  refuseUnknown(options, known, verb);
  const { name, as, timeoutMs, signal, policy, onProgress } = options;
  if (name !== undefined && typeof name !== 'string') throw misuse('name', 'a string', name);
  if (as !== undefined && typeof (as as { request?: unknown } | null)?.request !== 'function') {
    throw misuse('as', 'an agent, a context or a bus', as);
  }
  readMs('timeoutMs', timeoutMs);
  if (signal !== undefined && typeof signal?.aborted !== 'boolean') {
    throw misuse('signal', 'an AbortSignal', signal);
  }
  if (policy !== undefined && typeof policy?.execute !== 'function') {
    throw misuse('policy', 'an object with execute', policy);
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw misuse('onProgress', 'a function of the progress', onProgress);
  }
}

/** Where time comes from: a voice lives on the Env of its bus. */
export function envFor({ as, env }: WorkflowOptions): Env {
  return envOf(as) ?? env ?? realEnv();
}
