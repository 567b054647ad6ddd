import { TellaskError, type WorkContext } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

/** A simulated world in which tasks write down what happens to them. */
export class World {
  readonly env = new SimEnv();
  readonly log: string[] = [];
  /** Tasks that run now, and the most that ever did. */
  running = 0;
  most = 0;

  /** Resolves after so many milliseconds. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.env.setTimer(ms, resolve));
  }

  /** Ends with `end` after `ms`, whatever its signal says; notes when it begins and is called off. */
  task<T>(name: string, ms: number, end: () => T): (work: WorkContext) => Promise<T> {
    return async ({ signal }) => {
      this.log.push(`${name} begins`);
      signal.addEventListener('abort', () =>
        this.log.push(`${name} off: ${inWords(signal.reason)}`),
      );
      this.most = Math.max(this.most, ++this.running);
      await this.sleep(ms);
      this.running -= 1;
      return end();
    };
  }
}

/** A function that throws. */
export function fails(text: string): () => never {
  return () => {
    throw new Error(text);
  };
}

/** An error, short enough to compare. */
export function inWords(error: unknown): string {
  if (error instanceof TellaskError) return error.code.replace('TELLASK_', '');
  return error instanceof Error ? error.message : String(error);
}

/** What became of tasks, short enough to compare. */
export function brief(outcome: {
  readonly ok: unknown;
  readonly failed: readonly { readonly task: unknown; readonly error: unknown }[];
  readonly cancelled: readonly { readonly task: unknown; readonly reason: unknown }[];
}): unknown {
  return {
    ok: outcome.ok,
    failed: outcome.failed.map(({ task, error }) => `${task} ${inWords(error)}`),
    cancelled: outcome.cancelled.map(({ task, reason }) => `${task} ${inWords(reason)}`),
  };
}

/** A signal that aborts at an instant of the world, or has already. */
export function abortAt(
  world: World,
  ms: number,
  reason: unknown = new Error('enough'),
): AbortSignal {
  const controller = new AbortController();
  if (ms < 0) controller.abort(reason);
  else void world.env.setTimer(ms, () => controller.abort(reason));
  return controller.signal;
}
