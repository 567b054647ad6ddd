import { misuse } from '../kernel/errors.ts';
import { handlers } from './context-watch.ts';
import { SimEnv } from './sim-env.ts';

/**
 * Brings what comes from outside of the bus under the simulation of a test bus: the handler that
 * awaits it is waited for in real time, and goes on as a lane of its own, in an order that can be
 * explored. Elsewhere than in a handler of a test bus it gives back the promise and does nothing.
 *
 * @example
 * ```ts
 * import { createTestBus, external } from 'tellask/testing';
 * const callModel = (question: string) => Promise.resolve(`no idea: ${question}`);
 * const t = createTestBus();
 * t.bus.register('expert').serve('question', ({ payload }) =>
 *   external(callModel(String(payload)), 'model'),
 * );
 * const asked = t.bus.request('question', 'why?');
 * await t.run();
 * await asked; // => 'no idea: why?'
 * ```
 */
export function external<T>(work: PromiseLike<T>, label: string): Promise<T> {
  const env = handlers.current?.worker.house.env;
  return env instanceof SimEnv ? bring(env, work, label) : Promise.resolve(work);
}

/** As `external`, for who has the test's Env. */
export function bring<T>(env: SimEnv, work: PromiseLike<T>, label: string): Promise<T> {
  if (typeof label !== 'string' || label === '') throw misuse('label', 'a name for it', label);
  return env.outside.add(work, label);
}
