import type { PolicyContext } from '../../resilience/policy.ts';
import type { PolicyFeatures } from '../policy-conformance.ts';
import { expectSame, expectThat } from '../store-cases/expect.ts';
import { turns } from './calls.ts';
import { describeOutcome, expectResolved, type PolicyCase } from './trial.ts';

const REASON = new Error('the caller has enough');

/** Work as it should be: it ends when it is called off, with the reason. */
const untilAborted = (context?: PolicyContext): Promise<never> =>
  new Promise((_, reject) => {
    const signal = context?.signal;
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener('abort', () => reject(signal.reason));
  });

/** What the abort of the caller does. */
export function abortCases(features: PolicyFeatures): readonly PolicyCase[] {
  return [
    ...('instead' in features ? [] : REJECTING),
    ...(features.refusesAborted === false ? [] : REFUSING),
    ...HEARD,
  ];
}

const REJECTING: readonly PolicyCase[] = [
  {
    name: 'rejects with the reason when the caller aborts while the work runs',
    async run(trial) {
      const controller = new AbortController();
      const { ended } = trial.begin(untilAborted, controller.signal);
      await turns();
      controller.abort(REASON);
      const outcome = await trial.untilEnd(ended);
      const right = outcome.status === 'rejected' && outcome.error === REASON;
      expectThat(right, `Expected the reason of the abort, but ${describeOutcome(outcome)}`);
    },
  },
];

const REFUSING: readonly PolicyCase[] = [
  {
    name: 'does not call the work when the caller had aborted before',
    async run(trial) {
      let calls = 0;
      const outcome = await trial.call(() => {
        calls += 1;
      }, AbortSignal.abort(REASON));
      expectSame(calls, 0, 'calls after an abort');
      expectThat(
        outcome.status === 'rejected',
        `Expected a rejection, but ${describeOutcome(outcome)}`,
      );
    },
  },
];

const HEARD: readonly PolicyCase[] = [
  {
    name: 'lets the work hear of the abort of the caller',
    async run(trial) {
      const controller = new AbortController();
      let heard = false;
      const { ended } = trial.begin((context) => {
        const work = untilAborted(context);
        context?.signal?.addEventListener('abort', () => {
          heard = true;
        });
        return work;
      }, controller.signal);
      await turns();
      controller.abort(REASON);
      await turns();
      expectThat(heard, 'The signal of the work must abort with that of the caller');
      await trial.untilEnd(ended);
    },
  },
  {
    name: 'calls no more once the caller has aborted',
    async run(trial) {
      const controller = new AbortController();
      let calls = 0;
      await trial.call(async () => {
        calls += 1;
        controller.abort(REASON);
        throw new Error('of the work');
      }, controller.signal);
      expectSame(calls, 1, 'calls');
    },
  },
  {
    name: 'keeps the result of work that ends well in spite of an abort',
    async run(trial) {
      const controller = new AbortController();
      const outcome = await trial.call(() => {
        controller.abort(REASON);
        return 'well';
      }, controller.signal);
      expectResolved(outcome, 'well', 'work that ended at once');
    },
  },
  {
    name: 'leaves no listener on the signal of the caller',
    async run(trial) {
      const { signal } = new AbortController();
      const listening = countListeners(signal);
      await trial.call((context) => {
        void context?.signal?.aborted;
        return 'well';
      }, signal);
      await trial.call(() => Promise.reject(new Error('of the work')), signal);
      await turns();
      expectSame(listening(), 0, 'listeners that are left after two calls');
    },
  },
];

/** Counts those who begin and who stop to listen. */
function countListeners(signal: AbortSignal): () => number {
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  Object.defineProperties(signal, {
    addEventListener: {
      value: (type: 'abort', listener: () => void, options?: { once?: boolean }) => {
        listeners.add(listener);
        addEventListener.call(signal, type, listener, options);
      },
    },
    removeEventListener: {
      value: (type: 'abort', listener: () => void) => {
        listeners.delete(listener);
        removeEventListener.call(signal, type, listener);
      },
    },
  });
  return () => listeners.size;
}
