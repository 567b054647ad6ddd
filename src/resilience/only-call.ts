import type { Call } from './call.ts';
import type { Work } from './policy.ts';

/** Calls the work with nothing around it; what it throws is a rejection. */
export async function onlyCall<T>(fn: Work<T>, call: Call): Promise<T> {
  return fn(call);
}
