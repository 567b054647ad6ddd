// ---- the bus

export { DeniedError } from './access/errors.ts';
export type { AccessDecision, AccessEffect, AccessRule, AccessRules } from './access/rules.ts';
// ---- agents
export {
  Agent,
  type AgentInfo,
  type AgentOptions,
  type BatchOutput,
  type SubscriptionHandle,
} from './agents/agent.ts';
export type { Restriction } from './agents/permits.ts';
export type { RestartBackoff, RestartOptions } from './agents/restart-terms.ts';
export type { Escalation, StopAgent, SupervisedStatus } from './agents/supervision.ts';
export { MessageBus, type OnceOptions } from './bus.ts';
export type { BusStatus } from './delivery/admitter.ts';
export type {
  Authorizer,
  PermissionAction,
  PermissionCall,
  PermissionDecision,
  PermissionOptions,
  PermissionRule,
} from './delivery/authority.ts';
export type { BatchContext } from './delivery/batch-context.ts';
export type {
  AgentServeBatchOptions,
  AgentSubscribeBatchOptions,
  BatchOptions,
  HostSubscribeBatchOptions,
  ServeBatchOptions,
  SubscribeBatchOptions,
} from './delivery/batch-options.ts';
// ---- errors
export {
  BudgetExhaustedError,
  DeadlockError,
  LoopError,
  type LoopGuard,
  RevokedError,
  type WhyRevoked,
} from './delivery/bound-errors.ts';
export type {
  BroadcastOutcome,
  BroadcastReceipt,
  BroadcastRecipient,
} from './delivery/broadcast.ts';
export type { BusEvents, CancelReason, DeliveryEvent } from './delivery/bus-events.ts';
export type { BusyPolicy } from './delivery/busy.ts';
// ---- what is said, and to whom
export type { Context, Voice } from './delivery/context.ts';
export type { Conversation, OpenDelivery } from './delivery/conversation.ts';
// ---- dead letters
export type {
  DeadLetter,
  DeadLetterReason,
  DeathRecord,
  LetterFilter,
} from './delivery/dead-letters.ts';
export {
  BatchResultError,
  BusyError,
  CancelledError,
  ClosedError,
  DeadLetteredError,
  FencedError,
  HandlerError,
  HandlerTimeoutError,
  InterruptedError,
  MailboxFullError,
  MessageTimeoutError,
  NameTakenError,
  NoResponderError,
  RejectedError,
  RequestTimeoutError,
  ResponderLeftError,
  UnknownRecipientError,
  UnknownTopicError,
} from './delivery/errors.ts';
export type { ExplainedSubscription, ExplainOptions, Explanation } from './delivery/explain.ts';
export type { ExplainedCandidate } from './delivery/explain-candidates.ts';
export type { ForwardOptions, ForwardTo } from './delivery/forward.ts';
// ---- how it is handled
export type { Gathered } from './delivery/gathering.ts';
export type { GuardNotice, GuardOptions } from './delivery/guard.ts';
export type {
  AgentServeOptions,
  AgentSubscribeOptions,
  HandlerRetry,
  HandlerSettings,
  HostSubscribeOptions,
  LaneOptions,
  MailboxChoice,
  MailboxSettings,
  OwnLaneOptions,
  ServeOptions,
  SubscribeOptions,
} from './delivery/handler-options.ts';
export type { IdempotencyOptions } from './delivery/idempotency.ts';
export type { ReceiveOptions } from './delivery/inbox.ts';
export type { Answering, AnswerLater, DeferOptions, Later } from './delivery/later.ts';
export type { LetterDesk } from './delivery/letter-desk.ts';
export { LetterStoreError } from './delivery/letter-errors.ts';
export type { LetterSecrets } from './delivery/letter-record.ts';
export type { Draft, Middleware } from './delivery/middleware.ts';
export type { Isolation } from './delivery/payload-keeper.ts';
export type { OpenStatus, PendingFilter, PendingRequest } from './delivery/pending-list.ts';
export type { Permissions } from './delivery/permissions.ts';
export type { Receipt, Settled } from './delivery/receipt.ts';
export type { Redriven, RedriveOptions, RedriveTarget, SkippedLetter } from './delivery/redrive.ts';
export {
  RestartError,
  type RestartErrorOptions,
  RestartedError,
} from './delivery/restart-errors.ts';
export type {
  Candidate,
  Selection,
  SelectionCall,
  SelectionEnd,
} from './delivery/selection.ts';
export type { Abandoned, Closed, CloseOptions } from './delivery/shutdown.ts';
export type {
  AskOptions,
  BroadcastOptions,
  GatherOptions,
  PublishOptions,
  Recipients,
  RequestOptions,
  SendOptions,
  StreamOptions,
  WhenServedOptions,
} from './delivery/speech.ts';
export type { MessageStream } from './delivery/stream.ts';
export type { Observer } from './delivery/tap.ts';
export { first, type GatheredSoFar, type Quorum, quorum, type Until } from './delivery/until.ts';
export type { AgentStatus, Whereabouts } from './delivery/whereabouts.ts';
export type { OnHang } from './delivery/worker.ts';
// ---- time, order, chance and names
export type { Env, Lane, LaneKind, Timer, TimerOptions } from './kernel/env.ts';
export type { ErrorCode } from './kernel/error-codes.ts';
export type { ErrorRecord } from './kernel/error-record.ts';
export { isTellaskError, TellaskError, type TellaskErrorOptions } from './kernel/errors.ts';
export type { FaultPlan, FaultPoint, FaultTarget, HandlerFault } from './kernel/fault-plan.ts';
export type { MailboxOptions } from './mailbox/mailbox.ts';
export type { Overflow } from './mailbox/overflow.ts';
// ---- budgets
export type {
  BudgetAmounts,
  BudgetLimits,
  BudgetResource,
  BudgetView,
  Shortage,
  Spending,
} from './message/budget.ts';
// ---- contracts, topics and patterns
export {
  Contract,
  type ContractSections,
  defineContract,
  type MergedSections,
  mergeContracts,
  type RequestSchemas,
} from './message/contract.ts';
export type {
  AnyContract,
  ContractShape,
  MessageOf,
  PatternArg,
  RequestArg,
  RequestChunk,
  RequestInput,
  RequestMessage,
  RequestOutput,
  RequestPayload,
  RequestShape,
  ResponderChunk,
  ResponderOutput,
  ResponderStream,
  ServeArg,
  ServedTopic,
  StateContract,
  StateInput,
  StateKeyArg,
  StatePatternArg,
  StateValue,
  TopicArg,
  TopicInput,
  WatchedValue,
} from './message/contract-types.ts';
export { InvalidNameError, InvalidPatternError, InvalidTopicError } from './message/invalid.ts';
export type { Message, MessageType } from './message/message.ts';
export { ValidationError, type ValidationIssue } from './message/parse.ts';
export { PayloadError } from './message/payload.ts';
export type { PriorityInput } from './message/priority.ts';
export { SharedBudget } from './message/shared-budget.ts';
export type {
  SchemaIssue,
  SchemaResult,
  StandardSchema,
  StandardSchemaProps,
} from './message/standard-schema.ts';
export { type ParamsOf, paramsOf, type TopicOf, topic } from './message/template.ts';
export type { Latency } from './observe/histogram.ts';
// ---- watching
export {
  type ConsoleLike,
  type ConsoleLoggerOptions,
  consoleLogger,
  type Logger,
  silentLogger,
} from './observe/logger.ts';
export { type MermaidOptions, toMermaid } from './observe/mermaid.ts';
export type { MetricsSnapshot, SeriesSnapshot } from './observe/metrics.ts';
export { type RecordedMessage, Recorder, type RecorderOptions } from './observe/recorder.ts';
export { createRedactor, type Redactor, type RedactorOptions } from './observe/redaction.ts';
// ---- policies
export type { Jitter, RetryOptions } from './resilience/backoff.ts';
export {
  type Bulkhead,
  type BulkheadInspection,
  type BulkheadOptions,
  bulkhead,
} from './resilience/bulkhead.ts';
export {
  type CircuitBreaker,
  type CircuitControl,
  circuitBreaker,
  type KeyedCircuit,
} from './resilience/circuit-breaker.ts';
export { CircuitOpenError } from './resilience/circuit-errors.ts';
export type { CircuitExplanation } from './resilience/circuit-explain.ts';
export type {
  CircuitBreakerOptions,
  CircuitChange,
  CountWindowOptions,
  RateOptions,
  TimeWindowOptions,
} from './resilience/circuit-options.ts';
export type { Permit } from './resilience/circuit-permit.ts';
export type {
  CircuitBreakerSnapshot,
  CircuitSnapshot,
  WindowSnapshot,
} from './resilience/circuit-snapshot.ts';
export type { CircuitReason, CircuitStatus } from './resilience/circuit-transition.ts';
export { type ComposedPolicy, compose, type InsteadOf } from './resilience/compose.ts';
export {
  BulkheadFullError,
  FallbackError,
  PolicyTimeoutError,
  RateLimitedError,
} from './resilience/errors.ts';
export {
  type Alternative,
  type AlternativeWork,
  type Fallback,
  fallback,
  type Occasion,
} from './resilience/fallback.ts';
export type {
  Execution,
  OwnPolicy,
  Policy,
  PolicyContext,
  PolicyOptions,
  Work,
} from './resilience/policy.ts';
export { type RateLimiter, type RateLimitOptions, rateLimit } from './resilience/rate-limit.ts';
export { type RetryCallOptions, type RetryNotice, retry } from './resilience/retry.ts';
export {
  type RetryBudget,
  type RetryBudgetOptions,
  type RetryBudgetSnapshot,
  retryBudget,
} from './resilience/retry-budget.ts';
export { type TimeoutMode, type TimeoutOptions, timeout } from './resilience/timeout.ts';
export type { RateLimit } from './resilience/token-bucket.ts';
// ---- sagas
export {
  SagaChangedError,
  SagaDataError,
  SagaInputError,
  SagaLeaseLostError,
  SagaNotFoundError,
  SagaRunningError,
  SagaStepAbandonedError,
  SagaStepAbortedError,
  SagaStepTimeoutError,
  SagaStoppedError,
} from './saga/errors.ts';
export type {
  Json,
  SagaJournal,
  SagaStage,
  SagaStatus,
  SagaStepRecord,
  SagaStepState,
  SagaStop,
} from './saga/journal.ts';
export type { OnSagaProgress, SagaEvent } from './saga/progress.ts';
export type { SagaResult, Uncompensated } from './saga/results.ts';
export { type NewStep, type Plus, Saga, type SagaGroup, saga } from './saga/saga.ts';
export type { SagaContext } from './saga/saga-context.ts';
export type { SagaInfo } from './saga/saga-list.ts';
export type { SagaListOptions, SagaResumeOptions, SagaRunOptions } from './saga/saga-options.ts';
export type { SagaCall, SagaStep } from './saga/step.ts';
// ---- state
export {
  type Cached,
  type CachedMetrics,
  type CachedOptions,
  type CacheSource,
  cached,
} from './state/cached.ts';
export type { SnapshotKey } from './state/checksum.ts';
export type { OnConflict, StateConflict } from './state/conflict.ts';
export type { StateMetrics } from './state/core.ts';
// ---- state
export { diff, type PatchOperation } from './state/diff.ts';
export {
  type DocumentBrief,
  type DocumentState,
  type Documents,
  documents,
  type UpdateContentOptions,
} from './state/documents.ts';
export type { Author, StateAction, StateEntry, StateVersion } from './state/entry.ts';
export {
  type Conflict,
  type MissingVersion,
  type SnapshotFault,
  type StageFacts,
  type StageProblem,
  StateClosedError,
  StateConflictError,
  StateExistsError,
  StateGapError,
  StateNotDurableError,
  StateNotFoundError,
  StateOverflowError,
  StateSnapshotError,
  StateStageError,
  StateStalledError,
  StateStoredError,
  StateTimeoutError,
  StateValueError,
  StateVersionError,
  UnknownStateKeyError,
} from './state/errors.ts';
export type { StateExplanation } from './state/explain.ts';
export type { Lock, LockOptions, LockSet } from './state/lock.ts';
export {
  type LockLoss,
  LockLostError,
  LockTimeoutError,
  type LockWait,
  StateDeadlockError,
} from './state/lock-errors.ts';
export type { LockInspection } from './state/lock-table.ts';
export { type Merged, type MergeRules, merge } from './state/merge.ts';
export type { KeptEntry, Migrate } from './state/migrate.ts';
export { StatePast } from './state/past.ts';
export type { RestoreOptions, SnapshotOptions, StateSnapshot } from './state/snapshot.ts';
export {
  type DeniedListener,
  StateAccess,
  type StateAccessAction,
  type StateAccessRules,
} from './state/state-access.ts';
export {
  type AnyStateView,
  type OpenStateOptions,
  type StateCloseOptions,
  type StateCloseReport,
  StateManager,
  type StateOptions,
} from './state/state-manager.ts';
export { StateView } from './state/state-view.ts';
export type { StateTransaction, TransactionOptions } from './state/transaction.ts';
export type { StateWatch } from './state/watcher.ts';
export type { WatchOptions } from './state/watchers.ts';
export {
  type StageResult,
  type StageRun,
  type WorkflowState,
  type Workflows,
  workflows,
} from './state/workflow-state.ts';
export type {
  CompareAndSetOptions,
  DeleteOptions,
  ListOptions,
  UpdateOptions,
  WriteOptions,
} from './state/write-options.ts';
// ---- stores
export {
  StoreClosedError,
  StoreConflictError,
  StoreForgottenError,
  StoreFullError,
} from './stores/errors.ts';
export {
  MemoryStore,
  type MemoryStoreJson,
  type MemoryStoreOptions,
} from './stores/memory-store.ts';
export type {
  Commit,
  Committed,
  ReadOptions,
  ScanOptions,
  Store,
  Stored,
  Write,
} from './stores/store.ts';
export type { BusOptions, DeadLetterOptions, Unheard } from './wiring/bus-options.ts';
export type { BusInspection } from './wiring/inspection.ts';
export type { BusLimits } from './wiring/limits.ts';
export type { InstalledPlugin, Plugin, PluginHost } from './wiring/plugin.ts';
export { PluginGoneError } from './wiring/plugin-errors.ts';
// ---- workflows
export {
  type Chain,
  type ChainOptions,
  type ChainRunOptions,
  chain,
  type Link,
  NOT_MINE,
  type TopicLink,
} from './workflow/chain.ts';
export type { Items } from './workflow/chunks.ts';
export {
  type CancelledTask,
  type FailedTask,
  NobodyHandledError,
  type TaskName,
  WorkflowError,
  type WorkflowOutcome,
  WorkflowTimeoutError,
} from './workflow/errors.ts';
export type { JoinMode } from './workflow/join.ts';
export {
  type Chunked,
  type MapReduced,
  type MapReduceOptions,
  mapReduce,
  type Unchunked,
} from './workflow/map-reduce.ts';
export { type ParallelOptions, parallel, type Settling, type Tasks } from './workflow/parallel.ts';
export type { EndedTask, WorkflowProgress } from './workflow/progress.ts';
export type { WorkContext } from './workflow/work-context.ts';
export type { WorkflowOptions } from './workflow/workflow-options.ts';
