import type { Env } from '../../src/index.ts';
import { realEnv } from '../../src/kernel/real-env.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

/** Policies are tested on either Env, without a bus. */
export function policyEnv(name: 'real' | 'simulated'): { env: Env; settle(): Promise<void> } {
  if (name === 'simulated') {
    const env = new SimEnv();
    return { env, settle: () => env.settle() };
  }
  return { env: realEnv(), settle: () => new Promise((resolve) => setImmediate(resolve)) };
}

/** Work that ends when it is told to, and a log of when it starts and ends. */
export class Jobs {
  readonly log: string[] = [];
  readonly #ends = new Map<string, (error?: unknown) => void>();

  readonly job = (name: string) => (): Promise<string> => {
    this.log.push(`${name} starts`);
    return new Promise((resolve, reject) => {
      this.#ends.set(name, (error) => (error === undefined ? resolve(name) : reject(error)));
    });
  };

  end(name: string, error?: unknown): void {
    this.log.push(`${name} ends`);
    this.#ends.get(name)?.(error);
  }
}
