import { ability, type PriorityQueue, type Queued } from '../contender.ts';
import type { Row } from '../row.ts';
import { timed, type Work } from '../timed.ts';

const heaps = ['tinyqueue', 'flatqueue', 'heap-js', 'fastpriorityqueue'];

/** Priorities without an order that a queue could profit from; the same for all contenders. */
function scattered(choices: readonly number[]): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: 2 ** 16 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; // Numerical Recipes' LCG
    return choices[Math.floor((state / 2 ** 32) * choices.length)] ?? 5;
  });
}

/** Keeps the queue at its depth: one more goes in, the first comes out and goes in next. */
function pushAndTake(queue: PriorityQueue, depth: number, priorities: Uint8Array): Work {
  let ticket = 0;
  const push = (item: Queued): void => {
    item.priority = priorities[ticket & 0xffff] ?? 5;
    item.ticket = ticket;
    ticket += 1;
    queue.push(item);
  };
  for (let index = 0; index < depth; index += 1) push({ priority: 0, ticket: 0 });
  let spare: Queued = { priority: 0, ticket: 0 };
  return (operations) => {
    for (let index = 0; index < operations; index += 1) {
      push(spare);
      const taken = queue.take();
      if (taken === undefined) throw new Error('the queue lost an item');
      spare = taken;
    }
  };
}

function mailbox(
  name: string,
  title: string,
  choices: readonly number[],
  depth: number,
  atMost: number,
): Row {
  return {
    name: `${name}-${depth}`,
    title: `push and take, ${title}, at depth ${depth}`,
    unit: 'ns',
    needs: 'priorityQueue',
    goals: [{ kind: 'ratio', to: heaps, atMost }],
    prepare: async (contender) => {
      const queue = await ability(contender, 'priorityQueue');
      return timed(pushAndTake(queue, depth, scattered(choices)));
    },
  };
}

const everyPriority = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const depths = [[10, 0.4] as const, [1_000, 0.2] as const, [100_000, 0.2] as const];

export const rows: readonly Row[] = [
  ...depths.map(([depth, atMost]) => mailbox('mailbox', 'all of one priority', [5], depth, atMost)),
  ...depths.map(([depth, atMost]) =>
    mailbox('mailbox-mixed', 'of mixed priorities', everyPriority, depth, atMost),
  ),
];
