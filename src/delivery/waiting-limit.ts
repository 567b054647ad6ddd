import { onAbort } from '../kernel/abort.ts';
import type { Env } from '../kernel/env.ts';
import type { Dispatcher } from './dispatcher.ts';
import { MailboxFullError } from './errors.ts';
import type { Admission } from './receipt.ts';
import { readMs } from './said.ts';
import type { PublishOptions } from './speech.ts';

/** Lets a signal or the clock call off the copies of a message that still wait for a place. */
export function limitWaiting(
  env: Env,
  dispatcher: Dispatcher,
  admission: Admission,
  options: PublishOptions | undefined,
): void {
  const timeoutMs = readMs('timeoutMs', options?.timeoutMs) ?? Infinity;
  const withdraw = (reason: unknown): void => dispatcher.withdrawWaiting(admission, reason);
  const offs: (() => void)[] = [];
  admission.onPlaced = () => {
    for (const off of offs) off();
  };
  if (options?.signal !== undefined) offs.push(onAbort(options.signal, withdraw));
  if (timeoutMs !== Infinity) {
    const { list } = admission;
    const capacities = list.subscriptions.map(({ home }) => home.mailbox.options.capacity);
    const full = new MailboxFullError(list.names.join(', '), Math.min(...capacities));
    const timer = env.setTimer(timeoutMs, () => withdraw(full), { label: 'wait for a place' });
    offs.push(() => timer.cancel());
  }
}
