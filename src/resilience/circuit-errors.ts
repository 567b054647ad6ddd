import { TellaskError } from '../kernel/errors.ts';
import type { CircuitStatus } from './circuit-transition.ts';

/**
 * The circuit lets no call through: the work was not begun. Its `cause` is the last failure that
 * was counted. Code `TELLASK_CIRCUIT_OPEN`.
 */
export class CircuitOpenError extends TellaskError {
  /** The key of the circuit; empty for the one that has none. */
  readonly key: string;
  /** `open`, `isolated`, or `half-open` when other probes have all permits. */
  readonly status: CircuitStatus;
  /** Milliseconds until a call may get through at the latest; Infinity while it is isolated. */
  readonly retryAfterMs: number;

  constructor(key: string, status: CircuitStatus, retryAfterMs: number, cause?: unknown) {
    const options = cause === undefined ? BARE : { stack: false, cause };
    super('TELLASK_CIRCUIT_OPEN', `${circuit(key)} ${SAYS[status]}`, options);
    this.key = key;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

const BARE = { stack: false };

const SAYS: Readonly<Record<CircuitStatus, string>> = {
  closed: 'is closed',
  open: 'is open: retryAfterMs says when a call may get through',
  'half-open': 'is half open, and others probe it now',
  isolated: 'is isolated until somebody releases it',
};

const circuit = (key: string): string => (key === '' ? 'The circuit' : `The circuit of ${key}`);
