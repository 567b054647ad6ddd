import { misuse } from '../kernel/errors.ts';
import type { Holder } from './holder.ts';
import { type Lock, type LockOptions, LockSet } from './lock.ts';
import type { Locker, LockTable } from './lock-table.ts';
import { STATE_DEFAULTS } from './state-defaults.ts';

const HOST = '$host';

/** Who asks for locks. The host is many at a time: nobody knows which of its calls belong together. */
export function lockerOf(holder: Holder): Locker {
  const { actor } = holder.author();
  const { owner = actor === HOST ? {} : actor, registration } = holder;
  return { actor, owner, registration };
}

/** All locks, or none. */
export async function lockAll(
  table: LockTable,
  locker: Locker,
  keys: readonly string[],
  options: LockOptions,
): Promise<LockSet> {
  if (!Array.isArray(keys)) throw misuse('The first argument of lockAll', 'an array of keys', keys);
  const { timeoutMs = STATE_DEFAULTS.lockTimeoutMs } = options;
  const until = table.env.now() + timeoutMs;
  const locks: Lock[] = [];
  try {
    for (const key of [...new Set(keys)].sort()) {
      const leftMs = Math.max(0, until - table.env.now());
      const left = timeoutMs === Infinity ? timeoutMs : leftMs;
      locks.push(await table.request(key, locker, { ...options, timeoutMs: left }));
    }
    for (const lock of locks) lock.verify();
    return new LockSet(locks);
  } catch (error) {
    for (const lock of locks) lock.release();
    throw error;
  }
}
