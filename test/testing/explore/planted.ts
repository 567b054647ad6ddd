import type { ExplorationError, Scenario } from '../../../src/testing.ts';
import { ExplorationError as Failed } from '../../../src/testing.ts';

/**
 * Ann counts a visitor, has the number written and lets Bob count the next one. In production order
 * the number is written before Bob reads; nothing says that it has to be.
 */
export const lostUpdate: Scenario = async ({ bus, run }) => {
  let count = 0;
  bus.register('reader').serve('read', () => count);
  bus.register('keeper').subscribe('write', ({ payload }) => {
    count = payload as number;
  });
  const counts = (name: string, next?: string) =>
    bus.register(name).subscribe(`${name}.visit`, async (_, context) => {
      const seen = (await context.request('read', {})) as number;
      context.send('keeper', 'write', seen + 1);
      if (next !== undefined) context.publish(`${next}.visit`, {});
    });
  counts('ann', 'bob');
  counts('bob');
  bus.publish('ann.visit', {});
  await run();
  if (count !== 2) throw new Error(`counted ${count}`);
};

/** What `explore` found; throws when it found nothing. */
export async function failureOf(exploring: Promise<unknown>): Promise<ExplorationError> {
  const error = await exploring.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Failed) return error;
  throw new Error('explore did not fail', { cause: error });
}
