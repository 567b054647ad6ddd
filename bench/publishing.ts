import type { PubSub } from './contender.ts';
import type { Counter } from './counter.ts';
import type { Work } from './timed.ts';

/** A turn of a program that has much to say. */
const batchSize = 100;

/**
 * Publishes in batches of 100 a turn and waits until the handlers have seen each batch: work is
 * counted to handled, also for those who only queue at publish.
 */
export function publishing(
  bus: PubSub,
  counter: Counter,
  heardBy: number,
  nextTopic: () => string,
  payload: unknown = 1,
): Work {
  return async (operations) => {
    for (let left = operations; left > 0; left -= batchSize) {
      const size = Math.min(left, batchSize);
      const handled = counter.expect(size * heardBy);
      for (let index = 0; index < size; index += 1) bus.publish(nextTopic(), payload);
      await handled;
    }
    await counter.verify();
  };
}
