export { type CassetteOptions, readCassette, writeCassette } from './testing/cassette.ts';
export type { Checked, DeliveryFilter } from './testing/checks.ts';
export type { RunnableSaga, SagaLife } from './testing/crash-life.ts';
export { type DiffOptions, diffRuns, type RunDiff } from './testing/diff-runs.ts';
export {
  ContextLostError,
  ExpectationError,
  InvariantError,
  LeftOverError,
  LivelockError,
  StandstillError,
} from './testing/errors.ts';
export { type CrashProof, type EveryCrashOptions, everyCrash } from './testing/every-crash.ts';
export {
  ExplorationError,
  type FailedSchedule,
  NeverReachedError,
  NondeterminismError,
  StuckScenarioError,
} from './testing/explore/errors.ts';
export { type Exploration, type ExploreOptions, explore } from './testing/explore/explore.ts';
export type { Strategy } from './testing/explore/plan.ts';
export type { Scenario, ScenarioBus } from './testing/explore/scenario.ts';
export { external } from './testing/external.ts';
export {
  type FakeModel,
  type FakeModelOptions,
  fakeModel,
  type ModelCall,
  type ModelRule,
} from './testing/fake-model.ts';
export { InjectedFaultError } from './testing/faults/errors.ts';
export type {
  BuggifyRule,
  ClockRule,
  CrashRule,
  DuplicateRule,
  FaultChance,
  FaultKind,
  FaultPlace,
  FaultRange,
  FaultRule,
  StoreRule,
} from './testing/faults/rule.ts';
export type { InjectedFault } from './testing/faults/seeded-faults.ts';
export type { TestStore, TestStoreOptions } from './testing/faults/test-store.ts';
export {
  faultyStore,
  type StoreCall,
  type StoreFault,
  type StoreOperation,
} from './testing/faulty-store.ts';
export type { Invariants } from './testing/invariants.ts';
export type { TestDeadLetters } from './testing/letter-watch.ts';
export {
  checkLinearizable,
  type Linearizability,
  type RecordedOperation,
  type SequentialModel,
} from './testing/linearizable.ts';
export {
  assertConserved,
  assertDeadLettered,
  assertDelivered,
  assertHandledInOrder,
  assertNoPendingWork,
  type MatcherResult,
  type TellaskMatchers,
  tellaskMatchers,
} from './testing/matchers.ts';
export type { MessageFilter } from './testing/message-filter.ts';
export {
  type PolicyConformanceOptions,
  type PolicyFeatures,
  policyConformance,
} from './testing/policy-conformance.ts';
export type { ExpectOptions, Probe, ProbeOptions } from './testing/probe.ts';
export { type ReplayOptions, replayRun } from './testing/replay-run.ts';
export type { Input, RunEntry, RunEvent } from './testing/run-entry.ts';
export { SagaWorld } from './testing/saga-world.ts';
export { ScriptError } from './testing/script-error.ts';
export type { ScriptStep } from './testing/script-step.ts';
export { type Script, type ScriptedOptions, scripted } from './testing/scripted.ts';
export {
  type StoppingStore,
  type StopSide,
  stopAtCommit,
} from './testing/stopping-store.ts';
export {
  type ConformanceCase,
  type StoreConformanceOptions,
  type StoreFeatures,
  storeConformance,
} from './testing/store-conformance.ts';
export {
  createTestBus,
  type TestBus,
  type TestBusOptions,
  type TestClock,
  type TestFaults,
} from './testing/test-bus.ts';
export type { TestChecks } from './testing/test-checks.ts';
export type { MarkedDelivery, TranscriptOptions } from './testing/transcript-text.ts';
