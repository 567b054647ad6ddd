import { MessageBus } from '../bus.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import type { BusOptions } from '../wiring/bus-options.ts';
import type { FaultRule } from './faults/rule.ts';
import { type InjectedFault, SeededFaults } from './faults/seeded-faults.ts';
import { makeTestStore, type TestStore, type TestStoreOptions } from './faults/test-store.ts';
import { randomChoice } from './random-choice.ts';
import type { RunEntry } from './run-entry.ts';
import { SimEnv } from './sim-env.ts';
import { Transcript } from './transcript.ts';
import type { TranscriptOptions } from './transcript-text.ts';

/** Options of {@link createTestBus}: those of the bus, and the seed of its chance. */
export interface TestBusOptions<C extends ContractShape = AnyContract>
  extends Omit<BusOptions<C>, 'env'> {
  /** @default 1 */
  readonly seed?: number;
  /**
   * Runs what is ready in an order that chance chooses, and not as production does: another seed is
   * another order. A test that holds for many seeds depends on no order. @default false
   */
  readonly shuffle?: boolean;
  /** What goes wrong, drawn from the seed. @default nothing */
  readonly faults?: readonly FaultRule[];
}

/** The faults of a test bus. */
export interface TestFaults {
  readonly rules: readonly FaultRule[];
  /** What was injected so far, in its order. */
  readonly injected: readonly InjectedFault[];
}

/** The clock of a test bus. It moves only when a test moves it. */
export interface TestClock {
  /** Milliseconds since the test bus was made. */
  readonly nowMs: number;
  /** Lets time pass: what is due runs in order, and all that it sets off comes to rest. */
  advance(ms: number): Promise<void>;
}

/** A bus under test: the real one, on simulated time. */
export interface TestBus<C extends ContractShape = AnyContract> {
  readonly bus: MessageBus<C>;
  readonly clock: TestClock;
  /** Resolves when nothing is left to do now; time stands still. */
  settle(): Promise<void>;
  /** Runs to quiescence, skipping all waiting. */
  run(): Promise<void>;
  /**
   * What happened so far, a line each, byte-identical for a seed and fit for a snapshot: names,
   * ids, codes and outcomes, and never the text of an error. Made when it is read.
   *
   * @example
   * ```ts
   * import { createTestBus } from 'tellask/testing';
   * const t = createTestBus();
   * t.bus.subscribe('alarm', () => {});
   * t.bus.publish('alarm', {});
   * await t.settle();
   * t.transcript().split('\n')[0]?.trim(); // => '0 ms  m1    $host -> $host  alarm  admitted event'
   * ```
   */
  transcript(options?: TranscriptOptions): string;
  /** The same as data, oldest first: for `writeCassette`, `replayRun` and `diffRuns`. */
  recorded(): RunEntry[];
  /** Adds a line to the transcript: what happens outside of the bus, in the words of the test. */
  note(text: string): void;
  /**
   * What goes wrong in this test, and what has gone wrong.
   *
   * @example
   * ```ts
   * import { createTestBus } from 'tellask/testing';
   * const t = createTestBus({ faults: [{ fault: 'drop', topic: 'alarm', nth: 2 }] });
   * const heard: unknown[] = [];
   * t.bus.subscribe('alarm', ({ payload }) => heard.push(payload));
   * for (const n of [1, 2, 3]) t.bus.publish('alarm', n);
   * await t.settle();
   * heard; // => [1, 3]
   * t.faults.injected.map(({ text }) => text); // => ['drop m2 alarm $host -> $host']
   * ```
   */
  readonly faults: TestFaults;
  /**
   * A store in memory whose answers come in an order that the scheduler chooses, and which fails as
   * the rules of `store-failure` say.
   *
   * @example
   * ```ts
   * import { createTestBus } from 'tellask/testing';
   * const t = createTestBus({ faults: [{ fault: 'store-failure', on: 'commit', nth: 1 }] });
   * const store = t.store();
   * const failed = store.commit([{ key: 'a', value: '1' }]).catch((error) => error.code);
   * await t.settle();
   * await failed; // => 'TELLASK_INJECTED_FAULT'
   * ```
   */
  store(options?: TestStoreOptions): TestStore;
  /** Closes the bus and lets time pass until it is closed. Closing twice does nothing. */
  close(): Promise<void>;
  /** What `await using` does at the end: `close()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a bus for a test: the real bus on a simulated Env, so that no test sleeps and every run is
 * the same. No global is patched, so tests may run side by side.
 *
 * @example
 * ```ts
 * import { createTestBus } from 'tellask/testing';
 * const t = createTestBus();
 * const heard: string[] = [];
 * t.bus.subscribe('alarm', (message) => heard.push(message.topic));
 * t.bus.publish('alarm', {}, { delayMs: 60_000 });
 * await t.settle();
 * heard.length; // => 0
 * await t.clock.advance(60_000);
 * heard.length; // => 1
 * ```
 */
export function createTestBus<C extends ContractShape = AnyContract>(
  options: TestBusOptions<C> = {},
): TestBus<C> {
  const { seed = 1, shuffle = false, faults, ...rest } = options;
  const env = new SimEnv({
    seed,
    ...(shuffle && { choose: randomChoice(seed) }),
    ...(faults !== undefined && { faults: new SeededFaults(faults, { seed }) }),
  });
  return openTestBus(env, rest);
}

/** A test bus on an Env that somebody else drives too. */
export function openTestBus<C extends ContractShape = AnyContract>(
  env: SimEnv,
  options: Omit<BusOptions<C>, 'env'>,
): TestBus<C> {
  const bus = new MessageBus<C>({ unheard: 'warn', ...options, env } as BusOptions<C>);
  const transcript = new Transcript(() => env.now()).watch(bus);
  const faults = env.faults instanceof SeededFaults ? env.faults : undefined;
  if (faults !== undefined) faults.onInjected = ({ text }) => transcript.note(text);
  const close = async (): Promise<void> => {
    const closed = bus.close();
    await env.run();
    await closed;
  };
  return {
    bus,
    clock: {
      get nowMs() {
        return env.now();
      },
      advance: (ms) => env.advance(ms),
    },
    settle: () => env.settle(),
    run: () => env.run(),
    transcript: (shown) => transcript.text(shown),
    recorded: () => transcript.entries(),
    note: (text) => transcript.note(text),
    faults: faults ?? NO_FAULTS,
    store: (stored) => makeTestStore(env, faults, stored),
    close,
    [Symbol.asyncDispose]: close,
  };
}

const NO_FAULTS: TestFaults = { rules: [], injected: [] };
