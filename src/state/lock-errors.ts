import { TellaskError } from '../kernel/errors.ts';

/** Why a lock is no longer held: `left` when its holder has left the bus, `closed` with the state. */
export type LockLoss = 'expired' | 'released' | 'left' | 'closed';

/** Nobody let go of the lock in time (`TELLASK_LOCK_TIMEOUT`). */
export class LockTimeoutError extends TellaskError {
  readonly key: string;
  readonly timeoutMs: number;
  /** Who holds it; `undefined` when it is just being handed on. */
  readonly heldBy: string | undefined;

  constructor(
    key: string,
    timeoutMs: number,
    { actor, heldBy }: { readonly actor: string; readonly heldBy: string | undefined },
  ) {
    // Whoever asks for a lock inside of its own lock waits for himself.
    const self = heldBy === actor ? ', who asks for it' : '';
    const by = heldBy === undefined ? '' : `: it is held by ${heldBy}${self}`;
    super('TELLASK_LOCK_TIMEOUT', `The lock of '${key}' was not free within ${timeoutMs} ms${by}`, {
      stack: false,
    });
    this.key = key;
    this.timeoutMs = timeoutMs;
    this.heldBy = heldBy;
  }
}

const LOSSES: Readonly<Record<LockLoss, string>> = {
  expired: 'its lease is over',
  released: 'it was released',
  left: 'its holder has left',
  closed: 'the state is closed',
};

/** The lock is not held any more (`TELLASK_LOCK_LOST`): `why` says since what. */
export class LockLostError extends TellaskError {
  readonly key: string;
  readonly token: number;
  readonly why: LockLoss;

  constructor(
    { key, token }: { readonly key: string; readonly token: number },
    why: LockLoss,
    cause?: unknown,
  ) {
    super('TELLASK_LOCK_LOST', `The lock of '${key}' is not held any more: ${LOSSES[why]}`, {
      stack: false,
      ...(cause === undefined ? {} : { cause }),
    });
    this.key = key;
    this.token = token;
    this.why = why;
  }
}

/** One who waits, and for whom. */
export interface LockWait {
  readonly actor: string;
  readonly waitsFor: string;
  readonly heldBy: string;
}

/** To wait for the lock would be to wait for ever (`TELLASK_LOCK_DEADLOCK`): `cycle` says why. */
export class StateDeadlockError extends TellaskError {
  readonly key: string;
  /** Begins with the request that was refused; each waits for the next, and the last for the first. */
  readonly cycle: readonly LockWait[];

  constructor(key: string, cycle: readonly LockWait[]) {
    const [{ actor = '' } = {}, ...others] = cycle;
    const first = `${actor} would wait for '${key}'`;
    const rest = others.map(
      (wait) => `which ${wait.actor} holds, who waits for '${wait.waitsFor}'`,
    );
    const path = [first, ...rest, `which ${actor} holds`].join(', ');
    super('TELLASK_LOCK_DEADLOCK', path, { stack: false });
    this.key = key;
    this.cycle = cycle;
  }
}
