/**
 * What a circuit has to do, written down from the requirement and not from the code: nothing of
 * `src` is used here. It keeps the whole past of a circuit and looks back, where the code keeps
 * counters and looks at one state. It is slow and short.
 */
export interface SpecOptions {
  readonly failures: number;
  readonly openMs: number;
  readonly permits: number;
  readonly successes: number;
  readonly probeLeaseMs: number;
  readonly forgetMs: number;
}

/** A call that was let through, and in which era. */
export interface SpecCall {
  readonly era: number;
  readonly at: number;
  over: boolean;
}

export type SpecEnd = 'success' | 'failure' | 'neutral';

type Status = 'closed' | 'open' | 'half-open' | 'isolated';

export class CircuitSpec {
  now = 0;
  status: Status = 'closed';
  /** Everything that is counted belongs to an era; a change of status, or a reset, begins another. */
  era = 0;
  #openedAt = 0;
  /** In a closed era: when each failure since the last success ended. */
  #failedAt: number[] = [];
  /** In a half-open era: the probes that count, and how many went well. */
  #probes: SpecCall[] = [];
  #well = 0;
  /** In an isolated era: who holds it. */
  #holds: object[] = [];
  readonly #options: SpecOptions;

  constructor(options: SpecOptions) {
    this.#options = options;
  }

  advance(ms: number): void {
    this.now += ms;
  }

  /** Who calls gets through, or not. */
  call(): SpecCall | undefined {
    if (this.status === 'isolated') return undefined;
    if (this.status === 'open') {
      if (this.now - this.#openedAt < this.#options.openMs) return undefined;
      this.#become('half-open');
    }
    const call = { era: this.era, at: this.now, over: false };
    if (this.status === 'closed') return call;
    // A probe whose lease has ended keeps nobody waiting, and once somebody calls it is forgotten.
    const hung = (one: SpecCall): boolean => this.now - one.at >= this.#options.probeLeaseMs;
    const others = this.#probes.filter((one) => !hung(one));
    if (others.length >= this.#options.permits) return undefined;
    this.#probes = [...others, call];
    return call;
  }

  end(call: SpecCall, how: SpecEnd): void {
    if (call.over) return;
    call.over = true;
    if (call.era !== this.era) return;
    if (this.status === 'closed') this.#count(how);
    else this.#probed(call, how);
  }

  isolate(): object {
    if (this.status !== 'isolated') this.#become('isolated');
    const hold = {};
    this.#holds.push(hold);
    return hold;
  }

  release(hold: object): void {
    if (!this.#holds.includes(hold)) return;
    this.#holds = this.#holds.filter((one) => one !== hold);
    if (this.#holds.length === 0) this.#become('closed');
  }

  reset(): void {
    this.#become('closed');
  }

  #count(how: SpecEnd): void {
    if (how === 'neutral') return;
    if (how === 'success') this.#failedAt = [];
    else this.#failedAt.push(this.now);
    // A silence of forgetMs between two failures, or since the last one, wipes out what was before.
    const row = this.#failedAt;
    const silence = (at: number, index: number): boolean =>
      index > 0 && at - (row[index - 1] as number) >= this.#options.forgetMs;
    const last = row.findLastIndex(silence);
    if (row.length - Math.max(last, 0) >= this.#options.failures) this.#become('open');
  }

  #probed(call: SpecCall, how: SpecEnd): void {
    if (!this.#probes.includes(call)) return;
    this.#probes = this.#probes.filter((one) => one !== call);
    if (how === 'failure') this.#become('open');
    if (how !== 'success') return;
    this.#well += 1;
    if (this.#well >= this.#options.successes) this.#become('closed');
  }

  #become(status: Status): void {
    this.status = status;
    this.era += 1;
    this.#openedAt = this.now;
    this.#failedAt = [];
    this.#probes = [];
    this.#well = 0;
    this.#holds = [];
  }
}
