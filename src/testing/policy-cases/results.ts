import { compose } from '../../resilience/compose.ts';
import type { PolicyFeatures } from '../policy-conformance.ts';
import { expectRejected, expectResolved, type PolicyCase, Trial } from './trial.ts';

const VALUES: readonly (readonly [name: string, value: unknown])[] = [
  ['a text', 'text'],
  ['an object', { n: 1 }],
  ['a function', () => {}],
  ['an Error that is only returned', new Error('a value')],
  ['undefined', undefined],
  ['null', null],
  ['false', false],
  ['0', 0],
  ['an empty text', ''],
];

const THROWN: readonly (readonly [name: string, error: unknown])[] = [
  ['an Error', new Error('of the work')],
  ['an error of a class of its own', new (class OwnError extends Error {})('of the work')],
  ['a text', 'thrown'],
  ['a frozen object', Object.freeze({ code: 7 })],
];

/** What comes back is what the work came to. */
export function resultCases(features: PolicyFeatures): readonly PolicyCase[] {
  return [
    ...VALUES.map(givesBack),
    GIVES_BACK_A_THENABLE,
    ...('instead' in features ? [givesInstead(features.instead)] : THROWN.flatMap(handsOn)),
    ...composed(features),
    ...(features.checks === false ? [] : [REFUSES]),
  ];
}

function givesBack([name, value]: (typeof VALUES)[number]): PolicyCase {
  return {
    name: `gives back what the work returns, or resolves with: ${name}`,
    async run(trial) {
      expectResolved(await trial.call(() => value), value, 'work that returns');
      expectResolved(await trial.call(async () => value), value, 'work that resolves');
    },
  };
}

const GIVES_BACK_A_THENABLE: PolicyCase = {
  name: 'waits for a thenable that is no Promise',
  async run(trial) {
    // biome-ignore lint/suspicious/noThenProperty: that is the case
    const thenable = { then: (resolve: (value: number) => void) => resolve(7) };
    expectResolved(await trial.call(() => thenable), 7, 'work that returns a thenable');
  },
};

function handsOn([name, error]: (typeof THROWN)[number]): readonly PolicyCase[] {
  return [
    {
      name: `rejects with what the work rejects with, itself: ${name}`,
      async run(trial) {
        expectRejected(await trial.call(() => Promise.reject(error)), error, 'work that rejects');
      },
    },
    {
      name: `rejects with what the work throws, itself: ${name}`,
      async run(trial) {
        const work = (): never => {
          throw error;
        };
        expectRejected(await trial.call(work), error, 'work that throws');
      },
    },
  ];
}

function givesInstead(instead: unknown): PolicyCase {
  return {
    name: 'resolves with what it has instead when the work fails',
    async run(trial) {
      const error = new Error('of the work');
      const throwing = (): never => {
        throw error;
      };
      expectResolved(await trial.call(() => Promise.reject(error)), instead, 'work that rejects');
      expectResolved(await trial.call(throwing), instead, 'work that throws');
    },
  };
}

const ONLY_CALLS = { execute: async <T>(fn: () => T | PromiseLike<T>): Promise<T> => fn() };

/** It does the same inside and outside of another policy. */
function composed(features: PolicyFeatures): readonly PolicyCase[] {
  return (['inside', 'outside'] as const).map((place) => ({
    name: `does the same ${place} of another policy`,
    async run(alone: Trial) {
      const { policy } = alone;
      const both = place === 'inside' ? [ONLY_CALLS, policy] : [policy, ONLY_CALLS];
      const trial = new Trial(compose(...both), features, () => alone.untilEnd(Promise.resolve()));
      const error = new Error('of the work');
      expectResolved(await trial.call(() => 'well'), 'well', `work ${place}`);
      const failed = await trial.call(() => Promise.reject(error));
      if ('instead' in features) expectResolved(failed, features.instead, `failing work ${place}`);
      else expectRejected(failed, error, `failing work ${place}`);
    },
  }));
}

const REFUSES: PolicyCase = {
  name: 'rejects, and does not throw, when it is given no function',
  async run(trial) {
    const outcome = await trial.call(undefined as never);
    if (outcome.status === 'rejected' && outcome.error instanceof TypeError) return;
    throw new Error('Something that is no function must be refused with a TypeError');
  },
};
