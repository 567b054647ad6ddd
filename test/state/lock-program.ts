import { randomChoice } from '../../src/testing/random-choice.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import type { StateLibrary } from './state-program.ts';

/**
 * Actors that take locks of two keys side by side, some with little patience and some with short
 * leases; tells what is wrong: two inside at a time, a token that does not grow, a write of who had
 * lost the lock, or somebody who was overtaken.
 */
export async function tryLocks(
  { SimEnv, StateManager }: StateLibrary,
  seed: number,
): Promise<string | undefined> {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const env = new SimEnv({ choose: randomChoice(seed) });
  const state = new StateManager({ env });
  const wrong: string[] = [];
  const tokens = new Map<string, number>();
  const asked = new Map<string, { readonly until: number }[]>();

  const sleep = (ms: number): Promise<void> => new Promise((resolve) => env.setTimer(ms, resolve));

  const use = async (actor: string): Promise<void> => {
    const view = state.as(actor);
    const key = `doc.${below(2)}`;
    const line = asked.get(key) ?? [];
    asked.set(key, line);
    const options = { timeoutMs: 5 + below(60), leaseMs: 5 + below(20) };
    const request = { until: env.now() + options.timeoutMs };
    line.push(request);
    const leaveLine = (): void => void line.splice(line.indexOf(request), 1);
    const asking = view.withLock(
      key,
      async (lock) => {
        // Of one whose patience ends in this very instant its own work may hear later.
        const first = line.find(({ until }) => until > env.now());
        if (first !== undefined && line.indexOf(first) < line.indexOf(request)) {
          wrong.push(`${actor} has overtaken somebody`);
        }
        leaveLine();
        if (lock.token <= (tokens.get(key) ?? 0)) wrong.push(`token ${lock.token} again`);
        tokens.set(key, lock.token);
        await sleep(below(25));
        const isNewest = tokens.get(key) === lock.token;
        view.set(key, lock.token, { lock });
        if (!isNewest || !lock.held) wrong.push(`${lock.token} wrote and had lost the lock`);
      },
      options,
    );
    await asking.catch((error: { code?: string }) => {
      if (error.code === 'TELLASK_LOCK_TIMEOUT') leaveLine();
      else if (error.code !== 'TELLASK_LOCK_LOST') wrong.push(String(error));
    });
  };

  const all = Array.from({ length: 5 }, async (_, i) => {
    for (let round = 0; round < 4; round++) await use(`actor-${i}`);
  });
  await env.run();
  await Promise.all(all);
  if (state.locks().length > 0) wrong.push('somebody still holds a lock');
  if (env.pendingTimers().length > 0) wrong.push('a timer is left');
  return wrong[0];
}
