import type { Env } from '../kernel/env.ts';
import { LinkedList } from '../kernel/linked-list.ts';
import type { Attempt, Watch } from './attempt.ts';
import type { Worker } from './worker.ts';

/** The handlers that run now and returned a promise: who may hang, and whom to wait for. */
export class Running {
  readonly #watches = new LinkedList<Watch>();
  readonly #waiters = new Set<{ readonly left: Set<Attempt>; readonly done: () => void }>();

  get size(): number {
    return this.#watches.size;
  }

  add(watch: Watch): void {
    this.#watches.add(watch);
  }

  /** The handler has ended. */
  remove(attempt: Attempt): void {
    if (attempt.watch !== undefined) this.#watches.remove(attempt.watch);
    if (this.#waiters.size > 0) this.giveUp(attempt);
  }

  /** The handler is fenced: it may run on, but nobody waits for it any more. */
  giveUp(attempt: Attempt): void {
    for (const waiter of this.#waiters) {
      if (!waiter.left.delete(attempt) || waiter.left.size > 0) continue;
      this.#waiters.delete(waiter);
      waiter.done();
    }
  }

  /** Who runs what, for a look at many workers at once. */
  byWorker(): Map<Worker, Attempt[]> {
    const runs = new Map<Worker, Attempt[]>();
    for (const { attempt } of this.#watches.toArray()) {
      const others = runs.get(attempt.worker);
      if (others === undefined) runs.set(attempt.worker, [attempt]);
      else others.push(attempt);
    }
    return runs;
  }

  matching(condition: (attempt: Attempt) => boolean = () => true): Attempt[] {
    return this.#watches
      .toArray()
      .map(({ attempt }) => attempt)
      .filter(condition);
  }

  /** Aborts these handlers and waits for their end, at most `graceMs`; resolves with who is left. */
  async end(
    env: Env,
    attempts: readonly Attempt[],
    reason: unknown,
    graceMs: number,
  ): Promise<Attempt[]> {
    if (attempts.length === 0) return [];
    const over = this.#whenOver(env, attempts, graceMs);
    // All of them first: one that is aborted may abort another, by asking it.
    for (const { watch } of attempts) watch?.standDown?.();
    for (const attempt of attempts) attempt.abort(reason);
    await over;
    return attempts.filter((attempt) => attempt.running);
  }

  #whenOver(env: Env, attempts: readonly Attempt[], graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiter = {
        left: new Set(attempts),
        done: () => {
          timer.cancel();
          resolve();
        },
      };
      const giveUp = (): void => {
        this.#waiters.delete(waiter);
        resolve();
      };
      const timer = env.setTimer(graceMs, giveUp, {
        keepAlive: true,
        label: 'grace before the end',
      });
      this.#waiters.add(waiter);
    });
  }
}
