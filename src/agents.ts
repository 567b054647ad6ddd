// ---- what is done together
export { type Arbiter, byArbiter } from './collaboration/by-arbiter.ts';
export { byMerge, type MergePositionsOptions } from './collaboration/by-merge.ts';
export { byPriority } from './collaboration/by-priority.ts';
export { byVote, type VoteOptions } from './collaboration/by-vote.ts';
export { Collaborations } from './collaboration/collaborations.ts';
export { DecisionError } from './collaboration/errors.ts';
export type {
  Asker,
  CollaborationOptions,
  Participant,
  PipelineOptions,
  RoundRobinOptions,
  SupervisorOptions,
} from './collaboration/options.ts';
export type { GoalReached } from './collaboration/plan.ts';
export type {
  Position,
  Resolution,
  Resolve,
  ResolveContext,
  Settled,
  Unsettled,
} from './collaboration/resolution.ts';
export type {
  ActiveCollaboration,
  Collaborated,
  CollaborationKind,
  CollaborationProgress,
  Contribution,
  Ending,
  FailedTurn,
  ToldFailure,
  Turn,
} from './collaboration/result.ts';
// ---- who is asked
export type {
  Candidate,
  Selection,
  SelectionCall,
  SelectionEnd,
} from './delivery/selection.ts';
// ---- who is there, and how
export type { A2ACard, A2AInterface, A2AOptions, A2ASkill } from './directory/a2a.ts';
export {
  type AgentQuery,
  AgentRegistry,
  type AgentRegistryOptions,
  type RegisterOptions,
  type RegistryInspection,
} from './directory/agent-registry.ts';
export {
  type CallToolOptions,
  callTool,
  type ToolFailure,
  type ToolResult,
} from './directory/call-tool.ts';
export type {
  AgentCapability,
  AgentCard,
  JsonSchema,
  RegisteredCapability,
  RegisteredCard,
} from './directory/card.ts';
export type { CardQuery } from './directory/card-index.ts';
export { ToolInputError, UnknownToolError } from './directory/errors.ts';
// ---- who knows whom
export {
  type AcceptedHandshake,
  type AcceptOptions,
  type Handshake,
  type HandshakeOptions,
  Handshakes,
  type HandshakesOptions,
  type Hello,
} from './directory/handshake.ts';
export type { BridgedOptions } from './directory/heartbeat.ts';
export {
  type LazyAgents,
  type LazyInstance,
  type LazyOptions,
  type LazyStart,
  lazy,
} from './directory/lazy.ts';
export type { CardHolder, ToolFilter } from './directory/offers.ts';
export type { Presence, PresenceStatus } from './directory/presence.ts';
export type { Probe, ProbeCheck, ProbeOptions } from './directory/probe.ts';
export type { Session, SessionInfo, SessionOptions } from './directory/sessions.ts';
export { type Tool, type ToolCaller, type ToolVoice, toolsOf } from './directory/tools.ts';
export { inOrder, matching, random, scored } from './selection/by-rule.ts';
export { type FastestOptions, fastest } from './selection/fastest.ts';
export { fewestOutstanding, type LeastBusyOptions, leastBusy } from './selection/least-busy.ts';
export { roundRobin } from './selection/round-robin.ts';
export { sticky } from './selection/sticky.ts';
export { weighted } from './selection/weighted.ts';
// ---- what is to be done
export type { Assignment, BidOptions, TaskScorer } from './tasks/assignment.ts';
export {
  NoCapableAgentError,
  TaskCycleError,
  TaskFencedError,
  TaskNotFoundError,
  TaskStateError,
} from './tasks/errors.ts';
export type { TaskWorker } from './tasks/roster.ts';
export type {
  DependencyPolicy,
  Task,
  TaskAnswer,
  TaskRequirements,
  TaskStatus,
} from './tasks/task.ts';
export {
  type Delegation,
  TaskBoard,
  type TaskHandler,
  type TaskSummary,
  type TaskWatchOptions,
} from './tasks/task-board.ts';
export type { TaskContext } from './tasks/task-context.ts';
export type {
  NewTask,
  TaskBoardOptions,
  TaskChanges,
  TaskFilter,
  WorkOptions,
} from './tasks/task-options.ts';
