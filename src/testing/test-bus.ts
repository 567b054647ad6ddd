import { MessageBus, wiringOf } from '../bus.ts';
import { AMBIENT } from '../delivery/ambient.ts';
import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import { BUS_OPTIONS, type BusOptions } from '../wiring/bus-options.ts';
import type { Wiring } from '../wiring/wiring.ts';
import { ContextWatch, type HandlerWatcher } from './context-watch.ts';
import { ContextLostError, ExpectationError, LeftOverError, StandstillError } from './errors.ts';
import { bring } from './external.ts';
import type { FaultRule } from './faults/rule.ts';
import { type InjectedFault, SeededFaults } from './faults/seeded-faults.ts';
import { makeTestStore, type TestStore, type TestStoreOptions } from './faults/test-store.ts';
import { BusInvariants, type Invariants } from './invariants.ts';
import { handlersOutside, hasNoLimit, leftOver, waits } from './left-over.ts';
import { LetterWatch, showLetter, type TestDeadLetters } from './letter-watch.ts';
import { namingEdges } from './livelock.ts';
import { Probe, type ProbeOptions } from './probe.ts';
import { randomChoice } from './random-choice.ts';
import type { RunEntry } from './run-entry.ts';
import { SimEnv } from './sim-env.ts';
import { CHECKS, readChecks, type TestChecks } from './test-checks.ts';
import { Transcript } from './transcript.ts';
import type { TranscriptOptions } from './transcript-text.ts';

const MAX_STEPS = 100_000;

/** Options of {@link createTestBus}: those of the bus, and the seed of its chance. */
export interface TestBusOptions<C extends ContractShape = AnyContract>
  extends Omit<BusOptions<C>, 'env'>,
    TestChecks {
  /** @default 1 */
  readonly seed?: number;
  /**
   * Runs what is ready in an order that chance chooses, and not as production does: another seed is
   * another order. A test that holds for many seeds depends on no order. @default false
   */
  readonly shuffle?: boolean;
  /**
   * Steps that one `settle`, `run` or `advance` may take; then it fails with LivelockError
   * `TELLASK_LIVELOCK`, which names who keeps it going. @default 100_000
   */
  readonly maxSteps?: number;
  /** What goes wrong, drawn from the seed. @default nothing */
  readonly faults?: readonly FaultRule[];
}

/** What `createTestBus` and `explore` have both. */
export const TEST_OPTIONS: readonly string[] = [
  ...[...BUS_OPTIONS].filter((name) => name !== 'env'),
  'maxSteps',
  'faults',
  ...CHECKS,
];
const KNOWN: ReadonlySet<string> = new Set([...TEST_OPTIONS, 'seed', 'shuffle']);

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
  /**
   * Lets time pass, from 0 milliseconds: what is due runs in order, and all that it sets off comes to
   * rest. Await it before the next call.
   */
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
  /** Registers an agent that the test plays. */
  probe(name: string, options?: ProbeOptions): Probe<C>;
  /** Brings what comes from outside of the bus under the simulation; see `external`. */
  external<T>(work: PromiseLike<T>, label: string): Promise<T>;
  /** What goes on now, a line each: who began it, and what it waits for. */
  pendingWork(): readonly string[];
  /** What the test expects of dead letters. */
  readonly deadLetters: TestDeadLetters;
  /** The promises of the library, which `close` checks by itself. */
  readonly invariants: Invariants;
  /**
   * Ends the test: closes the bus and lets time pass until it is closed. Fails if the invariants do
   * not hold, if a handler has lost its context, if something still went on (see the options
   * `leaks`, `lostContext`, `unexpectedLetters`). Closing twice does nothing.
   */
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
  refuseUnknown(options, KNOWN, 'createTestBus');
  const { seed = 1, shuffle = false, maxSteps = MAX_STEPS, faults, ...rest } = options;
  const env = new SimEnv({
    seed,
    maxSteps,
    ...(shuffle && { choose: randomChoice(seed) }),
    ...(faults !== undefined && { faults: new SeededFaults(faults, { seed }) }),
  });
  return openTestBus(env, rest);
}

type OpenOptions<C extends ContractShape> = Omit<
  TestBusOptions<C>,
  'seed' | 'shuffle' | 'maxSteps' | 'faults'
>;

/** A test bus on an Env that somebody else drives too. */
export function openTestBus<C extends ContractShape = AnyContract>(
  env: SimEnv,
  options: OpenOptions<C>,
): TestBus<C> {
  return new OpenTestBus<C>(env, options);
}

/** Its calls are fields, because tests take a test bus apart: `const { bus, settle } = …`. */
class OpenTestBus<C extends ContractShape> implements TestBus<C> {
  readonly bus: MessageBus<C>;
  readonly clock: TestClock;
  readonly invariants: BusInvariants;
  readonly #env: SimEnv;
  readonly #wiring: Wiring;
  readonly #checks: Required<TestChecks>;
  readonly #transcript: Transcript;
  readonly #faults: SeededFaults | undefined;
  /** Where handlers lost their context, since that was looked at last. */
  #lost: string[] = [];
  #letters: LetterWatch | undefined;
  #closing: Promise<void> | undefined;

  constructor(env: SimEnv, options: OpenOptions<C>) {
    const { checks, rest } = readChecks(options);
    const watcher: HandlerWatcher = {
      began: (attempt) => this.invariants.began(attempt),
      spoke: (line) => this.#spoke(line),
    };
    const ambient = new ContextWatch(watcher, {
      inherits: rest.ambientContext === true,
      tells: checks.lostContext === 'fail',
    });
    this.#env = env;
    this.#checks = checks;
    this.bus = new MessageBus<C>({
      unheard: 'warn',
      ...rest,
      env,
      [AMBIENT]: ambient,
    } as unknown as BusOptions<C>);
    this.#wiring = wiringOf(this.bus as never);
    this.#transcript = new Transcript(() => env.now()).watch(this.#wiring.events);
    this.#faults = env.faults instanceof SeededFaults ? env.faults : undefined;
    if (this.#faults !== undefined) this.#faults.onInjected = ({ text }) => this.note(text);
    this.invariants = new BusInvariants(this.#wiring, this.#transcript);
    this.clock = new SimClock(env, (drive) => this.#drive(drive));
  }

  get deadLetters(): TestDeadLetters {
    return this.#letterWatch();
  }

  readonly settle = (): Promise<void> => this.#drive(() => this.#env.settle());

  readonly run = (): Promise<void> =>
    this.#drive(() => (this.#checks.leaks === 'fail' ? this.#runOn() : this.#env.run()));

  readonly probe = (name: string, options?: ProbeOptions): Probe<C> => {
    const env = this.#env;
    return new Probe<C>(
      {
        bus: this.bus,
        settle: () => this.settle(),
        now: () => env.now(),
        letters: () => this.#letterWatch().unexpected.map(showLetter),
        nextTimer: async (endsAt) => {
          const at = env.nextTimerAt;
          if (at === Infinity && endsAt === Infinity) return false;
          if (at <= endsAt) await this.clock.advance(at - env.now());
          else if (endsAt > env.now()) await this.clock.advance(endsAt - env.now());
          return at <= endsAt;
        },
      },
      name,
      options,
    );
  };

  readonly transcript = (options?: TranscriptOptions): string => this.#transcript.text(options);

  readonly recorded = (): RunEntry[] => this.#transcript.entries();

  readonly note = (text: string): void => this.#transcript.note(text);

  get faults(): TestFaults {
    return this.#faults ?? NO_FAULTS;
  }

  readonly store = (options?: TestStoreOptions): TestStore =>
    makeTestStore(this.#env, this.#faults, options);

  readonly external = <T>(work: PromiseLike<T>, label: string): Promise<T> =>
    bring(this.#env, work, label);

  readonly pendingWork = (): readonly string[] => leftOver(this.#wiring, this.#env);

  readonly close = (): Promise<void> => {
    this.#closing ??= this.#close();
    return this.#closing;
  };

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const env = this.#env;
    // Whoever has closed the bus himself knows what he has left.
    const left = this.#wiring.status === 'open' ? await this.#leftOver() : [];
    const letters = this.#checks.unexpectedLetters === 'fail' ? this.#letterWatch().unexpected : [];
    const closed = this.bus.close();
    await env.run();
    await closed;
    this.invariants.check();
    this.#checkContext();
    if (left.length > 0) throw new LeftOverError('The test ended, and this still went on', left);
    if (letters.length === 0) return;
    const what = `Nobody expected these dead letters:${letters.map((one) => `\n  ${showLetter(one)}`).join('')}`;
    throw new ExpectationError(what, [], letters.map(showLetter));
  }

  async #leftOver(): Promise<string[]> {
    if (this.#checks.leaks === 'allow') return [];
    await this.#drive(() => this.#env.settle());
    return leftOver(this.#wiring, this.#env);
  }

  /** Skips all waiting, but not the time-out of a handler that nothing here can bring to an end. */
  async #runOn(): Promise<void> {
    const env = this.#env;
    await env.run((label) => {
      if (label !== 'handler time-out') return;
      if (env.faults !== undefined || env.awaitedTimers().length > 0) return;
      if (handlersOutside(this.#wiring).some(hasNoLimit)) {
        throw new LeftOverError('Handlers await something outside of the bus', waits(this.#wiring));
      }
    });
    const stuck = waits(this.#wiring);
    if (stuck.length > 0) throw new StandstillError(stuck);
  }

  async #drive(drive: () => Promise<void>): Promise<void> {
    await namingEdges(this, this.#env, drive);
    this.#checkContext();
  }

  #spoke(line: string): void {
    if (!this.#lost.includes(line)) this.#lost.push(line);
  }

  #checkContext(): void {
    if (this.#lost.length === 0) return;
    const places = this.#lost;
    this.#lost = [];
    throw new ContextLostError(places);
  }

  #letterWatch(): LetterWatch {
    this.#letters ??= new LetterWatch(
      () => this.settle(),
      () => this.bus.deadLetters.list(),
    );
    return this.#letters;
  }
}

/** A class, because V8 makes the getter of a literal in its old generation, and the bus with it. */
class SimClock implements TestClock {
  readonly #env: SimEnv;
  readonly #drive: (drive: () => Promise<void>) => Promise<void>;

  constructor(env: SimEnv, drive: (drive: () => Promise<void>) => Promise<void>) {
    this.#env = env;
    this.#drive = drive;
  }

  get nowMs(): number {
    return this.#env.now();
  }

  async advance(ms: number): Promise<void> {
    if (!(Number.isFinite(ms) && ms >= 0)) {
      throw misuse('advance', 'a number of milliseconds from 0 (run() skips all waiting)', ms);
    }
    return this.#drive(() => this.#env.advance(ms));
  }
}

const NO_FAULTS: TestFaults = { rules: [], injected: [] };
