import { ability, type Queued } from '../contender.ts';
import type { Row } from '../row.ts';
import { timed, type Work } from '../timed.ts';

const heaps = ['tinyqueue', 'flatqueue', 'heap-js', 'fastpriorityqueue'];

/** Priorities 0 to 10 without a pattern that a queue could profit from; the same for all. */
function scatteredPriorities(count: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; // Numerical Recipes' LCG
    return Math.floor((state / 2 ** 32) * 11);
  });
}

function mailbox(depth: number, atMost: number): Row {
  return {
    name: `mailbox-${depth}`,
    title: `push and take of mixed priorities at depth ${depth}`,
    unit: 'ns',
    needs: 'priorityQueue',
    goals: [{ kind: 'ratio', to: heaps, atMost }],
    prepare: async (contender) => {
      const queue = await ability(contender, 'priorityQueue');
      const priorities = scatteredPriorities(2 ** 16);
      let ticket = 0;
      const push = (item: Queued): void => {
        item.priority = priorities[ticket & 0xffff] ?? 5;
        item.ticket = ticket;
        ticket += 1;
        queue.push(item);
      };
      for (let index = 0; index < depth; index += 1) push({ priority: 0, ticket: 0 });
      let spare: Queued = { priority: 0, ticket: 0 };
      const work: Work = (operations) => {
        for (let index = 0; index < operations; index += 1) {
          push(spare);
          const taken = queue.take();
          if (taken === undefined) throw new Error('the queue lost an item');
          spare = taken;
        }
      };
      return timed(work);
    },
  };
}

export const rows: readonly Row[] = [mailbox(10, 0.4), mailbox(1_000, 0.2), mailbox(100_000, 0.2)];
