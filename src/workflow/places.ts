import type { FanOut } from './fan-out.ts';

let loaded: typeof FanOut | undefined;

/**
 * Makes the package behind it known before it is needed. A simulation does so, because what happens
 * in it may not depend on how long a disk takes.
 */
export function provideFanOut(fanOut: typeof FanOut): void {
  loaded = fanOut;
}

/**
 * Places for jobs, so many at a time. The first workflow of a process loads what keeps count of
 * them; most programs never need it, and would pay for it when they start.
 */
export class Places {
  readonly #concurrency: number;
  #fanOut: FanOut | undefined;
  #waiting: (() => Promise<void>)[] = [];

  /** `onFault` hears of a package that cannot be loaded. */
  constructor(concurrency: number, onFault: (error: unknown) => void) {
    this.#concurrency = concurrency;
    if (loaded !== undefined) this.#open(loaded);
    else import('./fan-out.ts').then((module) => this.#open(module.FanOut)).catch(onFault);
  }

  /** The job begins as soon as there is a place for it. It never rejects. */
  add(job: () => Promise<void>): void {
    if (this.#fanOut === undefined) this.#waiting.push(job);
    else this.#fanOut.add(job);
  }

  #open(fanOut: typeof FanOut): void {
    provideFanOut(fanOut);
    this.#fanOut = new fanOut(this.#concurrency);
    for (const job of this.#waiting) this.#fanOut.add(job);
    this.#waiting = [];
  }
}
