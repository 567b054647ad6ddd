import type { Env, Timer } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Health } from './health.ts';

/** What is expected of an agent that lives behind a bridge: only who is elsewhere can fall silent. */
export interface BridgedOptions {
  /** Milliseconds within which `registry.beat` has to come again. */
  readonly heartbeatMs: number;
  /** So many may be missing in a row; then the agent leaves. @default 3 */
  readonly missed?: number;
}

const OPTIONS: ReadonlySet<string> = new Set<keyof BridgedOptions>(['heartbeatMs', 'missed']);

/** @throws TypeError, RangeError for options that make no sense. */
export function readBridged(options: BridgedOptions): Required<BridgedOptions> {
  if (typeof options !== 'object' || options === null) {
    throw misuse('bridged', 'an object with heartbeatMs', options);
  }
  refuseUnknown(options, OPTIONS, 'bridged');
  const { heartbeatMs, missed = 3 } = options;
  if (typeof heartbeatMs !== 'number') {
    throw misuse('bridged.heartbeatMs', 'a number of milliseconds', heartbeatMs);
  }
  if (!(heartbeatMs > 0 && heartbeatMs < Infinity)) {
    throw new RangeError(`bridged.heartbeatMs must be more than 0, but it is ${heartbeatMs}`);
  }
  return { heartbeatMs, missed: readCount('bridged.missed', missed, 1) };
}

/** Waits for the next beat of one agent: unhealthy when one is missing, lost when too many are. */
export class Heartbeat {
  readonly #env: Env;
  readonly #health: Health;
  readonly #agent: string;
  readonly #options: Required<BridgedOptions>;
  readonly #onLost: () => void;
  #last: number;
  #lastSeenAt: number;
  #timer: Timer;

  constructor(
    { env, health, onLost }: { env: Env; health: Health; onLost: () => void },
    agent: string,
    options: Required<BridgedOptions>,
  ) {
    this.#env = env;
    this.#health = health;
    this.#agent = agent;
    this.#options = options;
    this.#onLost = onLost;
    this.#last = env.now();
    this.#lastSeenAt = env.wall();
    this.#timer = this.#wait(options.heartbeatMs);
  }

  /** Epoch milliseconds. */
  get lastSeenAt(): number {
    return Math.round(this.#lastSeenAt);
  }

  /** The timer stays as it is: a beat costs no more than two instants. */
  beat(): void {
    this.#last = this.#env.now();
    this.#lastSeenAt = this.#env.wall();
    this.#health.rose(this.#agent, this);
  }

  stop(): void {
    this.#timer.cancel();
  }

  #wait(delayMs: number): Timer {
    return this.#env.setTimer(delayMs, () => this.#look(), { label: 'heartbeat' });
  }

  #look(): void {
    const { heartbeatMs, missed } = this.#options;
    const silentMs = this.#env.now() - this.#last;
    const missing = Math.floor(silentMs / heartbeatMs);
    if (missing >= missed) {
      this.#onLost();
      return;
    }
    // First the timer: whoever hears of it may end everything.
    this.#timer = this.#wait((missing + 1) * heartbeatMs - silentMs);
    if (missing > 0) this.#health.fell(this.#agent, this, `no heartbeat within ${heartbeatMs} ms`);
  }
}
