import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Message } from '../message/message.ts';
import type {
  LaneOptions,
  MailboxSettings,
  ServeOptions,
  SubscribeOptions,
} from './handler-options.ts';
import { readMs } from './said.ts';

/** When a batch starts. */
export interface BatchOptions {
  /** Most messages in a batch, at least 1. @default 100 */
  readonly max?: number;
  /**
   * Milliseconds that the first message waits for others. 0: what is there when the agent is free;
   * `Infinity`: until `max` have come. A full mailbox and a drain wait for no more. @default 50
   */
  readonly waitMs?: number;
}

/** Options of `subscribeBatch`. A batch has no place of its own: a retry waits `requeue`. */
export interface SubscribeBatchOptions<M extends Message = Message>
  extends Omit<SubscribeOptions<M>, 'group' | 'busy'> {
  readonly batch?: BatchOptions;
}

/** Options of `agent.subscribeBatch`: those of a mailbox only together with `lane: 'own'`. */
export type AgentSubscribeBatchOptions<M extends Message = Message> = SubscribeBatchOptions<M> &
  LaneOptions;

/** Options of `bus.subscribeBatch`: it has a mailbox and a worker of its own. */
export type HostSubscribeBatchOptions<M extends Message = Message> = SubscribeBatchOptions<M> &
  MailboxSettings;

/** Options of `serveBatch`. */
export interface ServeBatchOptions<M extends Message = Message>
  extends Omit<ServeOptions<M>, 'idempotent' | 'busy' | 'wrapUp' | 'wrapUpTimeoutMs'> {
  readonly batch?: BatchOptions;
}

/** Options of `agent.serveBatch`: those of a mailbox only together with `lane: 'own'`. */
export type AgentServeBatchOptions<M extends Message = Message> = ServeBatchOptions<M> &
  LaneOptions;

/** Checked, with the defaults filled in. */
export type BatchLimits = Required<BatchOptions>;

const KNOWN: ReadonlySet<string> = new Set(['max', 'waitMs']);

/** Takes apart what is of the batch and what is of its messages. */
export function readBatch(
  options: SubscribeBatchOptions,
  defaults: BatchLimits,
): { readonly limits: BatchLimits; readonly rest: SubscribeOptions } {
  if (typeof options !== 'object' || options === null) {
    throw misuse('The options', 'an object', options);
  }
  const { batch = {}, ...rest } = options;
  if (typeof batch !== 'object' || batch === null) throw misuse('batch', 'an object', batch);
  refuseUnknown(batch, KNOWN, 'batch');
  const { max = defaults.max, waitMs = defaults.waitMs } = batch;
  readCount('batch.max', max, 1);
  readMs('batch.waitMs', waitMs);
  if (max === Infinity && waitMs === Infinity) {
    throw new RangeError('A batch without bound must not wait for ever: give it a max or a waitMs');
  }
  for (const name of KNOWN) {
    if (name in rest) throw new TypeError(`${name} belongs into batch: { batch: { ${name} } }`);
  }
  refuseSingle(rest);
  return { limits: { max, waitMs }, rest };
}

/** What has a meaning for single messages alone. */
function refuseSingle(options: SubscribeOptions & ServeOptions): void {
  const refuse = (what: string, why: string): never => {
    throw new TypeError(`A batch has no ${what}: ${why}`);
  };
  if (options.group !== undefined) refuse('group', 'its members would share one batch');
  if (options.busy !== undefined) refuse('busy', 'collecting is what a batch does meanwhile');
  if (options.wrapUp !== undefined)
    refuse('wrapUp', 'each of its requests has a budget of its own');
  if (options.idempotent !== undefined) {
    refuse('idempotent', 'a repeated request would wait for the batch that waits for it');
  }
  const { retry } = options;
  if (retry && retry.order === 'in-place') {
    refuse("retry order 'in-place'", 'what failed comes back in a later batch');
  }
}
