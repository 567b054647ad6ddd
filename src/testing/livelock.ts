import type { MessageBus } from '../bus.ts';
import { LivelockError } from './errors.ts';
import type { SimEnv } from './sim-env.ts';

/** Steps that are watched more closely once it is known that there is no end to them. */
const SAMPLE = 2_000;
const SHOWN = 5;

/**
 * Drives, and says of a drive that finds no end who keeps it going. It lets some more steps pass for
 * that, so that nobody has to count edges in a run that ends well.
 */
export async function namingEdges<R>(
  { bus }: { readonly bus: { readonly events: MessageBus['events'] } },
  env: SimEnv,
  drive: () => Promise<R>,
): Promise<R> {
  try {
    return await drive();
  } catch (error) {
    if (!(error instanceof LivelockError)) throw error;
    const edges = await edgesOf(bus.events, env, drive);
    throw new LivelockError(error.steps, [...edges, ...error.facts]);
  }
}

/** Who tells whom what most often, a line each. */
async function edgesOf(
  events: MessageBus['events'],
  env: SimEnv,
  drive: () => Promise<unknown>,
): Promise<string[]> {
  const edges = new Map<string, number>();
  const off = events.on('started', ({ message, recipient }) => {
    const edge = `${message.from} -> ${recipient} ${message.topic}`;
    edges.set(edge, (edges.get(edge) ?? 0) + 1);
  });
  const { maxSteps } = env;
  const steps = Math.min(SAMPLE, maxSteps);
  env.maxSteps = steps;
  await drive().catch(() => {});
  env.maxSteps = maxSteps;
  off();
  const busiest = [...edges].toSorted(([, one], [, other]) => other - one).slice(0, SHOWN);
  return busiest.map(([edge, count]) => `${edge}, ${count} times in the last ${steps} steps`);
}
