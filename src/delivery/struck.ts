import type { Env } from '../kernel/env.ts';
import type { FaultPlan, FaultTarget } from '../kernel/fault-plan.ts';
import { isThenable, promiseOf } from '../kernel/thenable.ts';
import type { Attempt } from './attempt.ts';
import type { Delivery } from './delivery.ts';
import { SKIPPED } from './middleware.ts';

/** A delivery as a plan of faults sees it. */
export function targetOf({ message, subscription }: Delivery): FaultTarget {
  const { id, topic, from } = message;
  return { id, topic, from, agent: subscription.owner };
}

/** Calls a handler as a plan of faults has it: not at all, slowly, or in vain. */
export function callStruck(
  env: Env,
  faults: FaultPlan,
  attempt: Attempt,
  invoke: () => unknown,
): unknown {
  const struck = faults.handling(targetOf(attempt.delivery));
  if (struck === undefined) return invoke();
  if (struck.fault === 'hang') return new Promise(() => {});
  if (struck.fault === 'slow') return endLater(env, struck.delayMs, attempt, invoke());
  if (struck.when === 'before') throw struck.error;
  return crashAfter(invoke(), struck.error);
}

/** Its work is done, and the failure is all that is heard of it. */
function crashAfter(result: unknown, error: Error): unknown {
  if (result === SKIPPED) return result;
  if (!isThenable(result)) throw error;
  return promiseOf(result).then(() => {
    throw error;
  });
}

/** The handler ends later than it would; when it is told to stop meanwhile, it stops. */
async function endLater(
  env: Env,
  delayMs: number,
  attempt: Attempt,
  result: unknown,
): Promise<unknown> {
  const value = await result;
  await new Promise<void>((resolve, reject) => {
    const timer = env.setTimer(delayMs, () => over(), { keepAlive: true, label: 'slow (a fault)' });
    const forget = attempt.onAbort((reason) => {
      timer.cancel();
      reject(reason);
    });
    const over = (): void => {
      forget();
      resolve();
    };
  });
  return value;
}
