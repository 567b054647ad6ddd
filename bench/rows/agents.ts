import { ability } from '../contender.ts';
import { heapSlope } from '../heap-slope.ts';
import type { Row } from '../row.ts';
import { timed } from '../timed.ts';

const SIZES = [10, 1_000, 100_000];

function lookup(agents: number): Row {
  return {
    name: `agents-find-${agents}`,
    title: `find the one agent with a capability among ${agents}`,
    unit: 'ns',
    needs: 'society',
    goals: agents === 10 ? [] : [{ kind: 'growth', since: 'agents-find-10', atMost: 5 }],
    prepare: async (contender) => {
      const { find } = (await ability(contender, 'society'))(agents);
      return timed((operations) => {
        for (let index = 0; index < operations; index += 1) find();
      });
    },
  };
}

function selection(agents: number): Row {
  return {
    name: `agents-select-${agents}`,
    title: `ask the least busy of ${agents} agents, one at a time`,
    unit: 'ns',
    needs: 'society',
    goals: [],
    prepare: async (contender) => {
      const { ask } = (await ability(contender, 'society'))(agents);
      return timed(async (operations) => {
        for (let index = 0; index < operations; index += 1) await ask();
      });
    },
  };
}

export const rows: readonly Row[] = [
  ...SIZES.map(lookup),
  ...SIZES.map(selection),
  {
    name: 'memory-agent-card',
    title: 'an agent with a card that has nothing to do',
    unit: 'bytes',
    needs: 'society',
    nodeFlags: ['--expose-gc'],
    goals: [],
    prepare: async (contender) => {
      const make = await ability(contender, 'society');
      // A timer of any of them would keep the process from its end.
      const held = async (count: number) => make(count);
      await heapSlope(held);
      return { sample: () => heapSlope(held) };
    },
  },
];
