import { ability } from '../contender.ts';
import { Counter } from '../counter.ts';
import { makeHandlers } from '../handlers.ts';
import type { Row } from '../row.ts';
import { timed, type Work } from '../timed.ts';

/** Patterns that come and go; a library may remember how a recent one reads. */
const comers = Array.from({ length: 1_000 }, (_, index) => `guest.${index}.*`);

function subscribe(present: number): Row {
  return {
    name: `subscribe-${present}`,
    title: `subscribe and unsubscribe with ${present} patterns present`,
    unit: 'ns',
    needs: 'wildcards',
    goals: [{ kind: 'limit', atMost: 1_500 }],
    prepare: async (contender) => {
      const bus = await ability(contender, 'wildcards');
      const [handler = () => {}] = makeHandlers(bus.handler, new Counter(), 1);
      for (let index = 0; index < present; index += 1) bus.subscribe(`home.${index}.*`, handler);
      const work: Work = async (operations) => {
        for (let index = 0; index < operations; index += 1) {
          const pattern = comers[index % comers.length] ?? '';
          bus.unsubscribe(pattern, handler, bus.subscribe(pattern, handler));
          if (bus.unsubscribesLater && index % 100 === 99) await new Promise(setImmediate);
        }
        if (bus.unsubscribesLater) await new Promise(setImmediate);
      };
      return timed(work);
    },
  };
}

export const rows: readonly Row[] = [subscribe(10), subscribe(1_000), subscribe(100_000)];
