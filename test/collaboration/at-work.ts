import type { Collaborated, Turn } from '../../src/agents.ts';
import type { MessageBus } from '../../src/index.ts';
import { type EnvName, makeBus } from '../make-bus.ts';

/** A bus, and how to see what a collaboration on it comes to. */
export interface Workshop {
  readonly bus: MessageBus;
  /** Lets the bus come to rest, and gives what came of it. */
  of<T>(work: Promise<T>): Promise<T>;
}

export function makeWorkshop(env: EnvName): Workshop {
  const { bus, settle } = makeBus(env);
  return {
    bus,
    of: async (work) => {
      work.catch(() => {});
      await settle();
      return work;
    },
  };
}

/** Registers agents that answer `talk`, each in its way. */
export function seat(bus: MessageBus, talkers: Readonly<Record<string, (turn: Turn) => unknown>>) {
  for (const [name, answer] of Object.entries(talkers)) {
    bus.register(name).serve('talk', ({ payload }) => answer(payload as Turn));
  }
}

/** What was said, a line each. */
export function said({ contributions }: Pick<Collaborated, 'contributions'>): string[] {
  return contributions.map(({ round, by, value }) => `${round} ${by}: ${JSON.stringify(value)}`);
}
