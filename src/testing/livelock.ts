import type { MessageBus } from '../bus.ts';
import type { DeliveryEvent } from '../delivery/bus-events.ts';
import { LivelockError } from './errors.ts';
import type { SimEnv } from './sim-env.ts';

/** Steps that are watched more closely once it is known that there is no end to them. */
const SAMPLE = 2_000;
const SHOWN = 5;

/**
 * Says of a drive that found no end who keeps it going. It lets some more steps pass for that, so
 * that nobody has to count edges in a run that ends well.
 */
export async function explainLivelock(
  error: LivelockError,
  bus: Pick<MessageBus<never>, 'events'>,
  env: SimEnv,
  drive: () => Promise<void>,
): Promise<LivelockError> {
  const edges = new Map<string, number>();
  const off = bus.events.on('started', ({ message, recipient }: DeliveryEvent) => {
    const edge = `${message.from} -> ${recipient} ${message.topic}`;
    edges.set(edge, (edges.get(edge) ?? 0) + 1);
  });
  const { maxSteps } = env;
  env.maxSteps = Math.min(SAMPLE, maxSteps);
  await drive().catch(() => {});
  env.maxSteps = maxSteps;
  off();
  const busiest = [...edges].toSorted(([, one], [, other]) => other - one).slice(0, SHOWN);
  const lines = busiest.map(
    ([edge, count]) => `${edge}, ${count} times in the last ${SAMPLE} steps`,
  );
  return new LivelockError(error.steps, [...lines, ...error.facts]);
}
