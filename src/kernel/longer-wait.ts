import type { Env } from './env.ts';
import type { FaultTarget } from './fault-plan.ts';

/** A wait before a retry, made longer where a plan of faults says so and the time left allows it. */
export function longerWait(
  { faults }: Env,
  occasion: FaultTarget | string,
  delayMs: number,
  remainingMs: number,
): number {
  if (faults === undefined) return delayMs;
  const longer = delayMs + faults.at('retry', occasion);
  return longer < remainingMs ? longer : delayMs;
}
