import { AT_A_TIME, ability, type Contender, type Guard, type Policies } from '../contender.ts';
import { heapSlope } from '../heap-slope.ts';
import type { Goal, Row } from '../row.ts';
import { timed, type Work } from '../timed.ts';

const work = async (): Promise<number> => 1;

/** One call after the other, each awaited. */
function inTurn(guard: Guard): Work {
  return async (operations) => {
    for (let call = 0; call < operations; call += 1) {
      if ((await guard(work)) !== 1) throw new Error('the result of the work got lost');
    }
  };
}

/** The same, each refused. */
function refused(guard: Guard): Work {
  return async (operations) => {
    let count = 0;
    for (let call = 0; call < operations; call += 1) {
      try {
        await guard(work);
      } catch {
        count += 1;
      }
    }
    if (count !== operations) throw new Error('the open breaker let a call through');
  };
}

/** A hundred at once, so that most of them wait for a slot. */
function together(guard: Guard): Work {
  return async (operations) => {
    for (let left = operations; left > 0; left -= 100) {
      const calls = Array.from({ length: Math.min(left, 100) }, () => guard(work));
      const results = await Promise.all(calls);
      if (results.some((result) => result !== 1)) throw new Error('a result got lost');
    }
  };
}

function policy(
  name: string,
  title: string,
  which: keyof Policies,
  calls: (guard: Guard) => Work,
  goals: readonly Goal[],
): Row {
  return {
    name: `policy-${name}`,
    title,
    unit: 'ns',
    needs: 'policies',
    goals,
    prepare: async (contender) => {
      const policies = await ability(contender, 'policies');
      return timed(calls(await policies[which]()));
    },
  };
}

const toCockatiel: readonly Goal[] = [{ kind: 'ratio', to: ['cockatiel'], atMost: 0.3 }];

export const rows: readonly Row[] = [
  policy(
    'retry-breaker',
    'retry and breaker around a call that succeeds',
    'retryAndBreaker',
    inTurn,
    toCockatiel,
  ),
  policy('open-breaker', 'a call refused by an open breaker', 'openBreaker', refused, toCockatiel),
  policy('timeout', 'a time-out whose signal nobody reads', 'timeout', inTurn, [
    { kind: 'limit', atMost: 1_000 },
  ]),
  {
    name: 'policy-bulkhead',
    title: `a task in a bulkhead of ${AT_A_TIME}, 100 at once`,
    unit: 'ns',
    needs: 'bulkhead',
    goals: [{ kind: 'ratio', to: ['p-queue'], atMost: 0.2 }],
    prepare: async (contender) => timed(together(await ability(contender, 'bulkhead'))),
  },
  {
    name: 'memory-breaker',
    title: 'an idle breaker of a registry',
    unit: 'bytes',
    needs: 'breakers',
    nodeFlags: ['--expose-gc'],
    // 100 000 of them in 30 MB.
    goals: [{ kind: 'limit', atMost: 300 }],
    prepare: async (contender: Contender) => {
      const make = await ability(contender, 'breakers');
      await heapSlope(make);
      return { sample: () => heapSlope(make) };
    },
  },
];
