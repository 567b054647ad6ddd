import type { PolicyFeatures } from '../policy-conformance.ts';
import { expectSame, expectThat } from '../store-cases/expect.ts';
import { expectResolved, type PolicyCase } from './trial.ts';

/** How often the work is called, and what calls have to do with each other. */
export function callCases(features: PolicyFeatures): readonly PolicyCase[] {
  const { attempts = 1, givesUp = false } = features;
  return [
    ...CALLS,
    callsFailing(attempts),
    ...(attempts > 1 ? [SUCCEEDS_LATE] : []),
    ...(givesUp ? [GIVES_UP] : []),
  ];
}

const CALLS: readonly PolicyCase[] = [
  {
    name: 'calls work that succeeds once',
    async run(trial) {
      let calls = 0;
      await trial.call(() => {
        calls += 1;
      });
      expectSame(calls, 1, 'calls of work that succeeds');
    },
  },
  {
    name: 'does not end before the work has',
    async run(trial) {
      let end: (value: string) => void = () => {};
      let over = false;
      const { ended } = trial.begin(() => new Promise((resolve) => (end = resolve)));
      void ended.then(() => {
        over = true;
      });
      await turns();
      expectThat(!over, 'It ended while the work was still running');
      end('well');
      expectResolved(await trial.untilEnd(ended), 'well', 'work that takes a while');
    },
  },
  {
    name: 'gives each of many calls at a time its own result',
    async run(trial) {
      const ends: (() => void)[] = [];
      const calls = Array.from({ length: 10 }, (_, n) =>
        trial.begin(() => new Promise((resolve) => ends.push(() => resolve(n)))),
      );
      await turns();
      expectSame(ends.length, 10, 'calls that run at a time');
      for (const end of ends.toReversed()) end();
      for (const [n, { ended }] of calls.entries()) {
        expectResolved(await trial.untilEnd(ended), n, `call ${n}`);
      }
    },
  },
  {
    name: 'may be called by the work that it calls',
    async run(trial) {
      const outcome = await trial.call(() => trial.policy.execute(() => 'inner'));
      expectResolved(outcome, 'inner', 'a call inside of a call');
    },
  },
  {
    name: 'goes on after a call that failed',
    async run(trial) {
      await trial.call(() => Promise.reject(new Error('of the work')));
      expectResolved(await trial.call(() => 'well'), 'well', 'the call after it');
    },
  },
];

function callsFailing(attempts: number): PolicyCase {
  return {
    name: `calls work that always fails ${attempts === 1 ? 'once' : `${attempts} times`}`,
    async run(trial) {
      let calls = 0;
      await trial.call(async () => {
        calls += 1;
        throw new Error(`failure ${calls}`);
      });
      expectSame(calls, attempts, 'calls of work that fails');
    },
  };
}

const SUCCEEDS_LATE: PolicyCase = {
  name: 'gives back the result of the first call that succeeds, and calls no more',
  async run(trial) {
    let calls = 0;
    const outcome = await trial.call(async () => {
      calls += 1;
      if (calls < trial.attempts) throw new Error(`failure ${calls}`);
      return 'well';
    });
    expectResolved(outcome, 'well', 'work that succeeds in the end');
    expectSame(calls, trial.attempts, 'calls');
  },
};

const GIVES_UP: PolicyCase = {
  name: 'gives up work that never ends, and aborts the signal that it was given',
  async run(trial) {
    const signals: (AbortSignal | undefined)[] = [];
    const outcome = await trial.call((context) => {
      signals.push(context?.signal);
      return new Promise(() => {});
    });
    expectThat(outcome.status === 'rejected', 'Work that never ends must be given up');
    expectThat(signals[0]?.aborted === true, 'The signal of work that was given up must abort');
  },
};

/** A few turns of the event loop, for everything that is going to begin. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
