import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { topic as keyOf } from '../message/template.ts';
import type { StateEntry, StateVersion } from './entry.ts';
import { type StageProblem, StateStageError } from './errors.ts';
import type { AnyStateView } from './state-manager.ts';
import type { StateView } from './state-view.ts';

/** What a stage has come to, each time that it was completed. */
export interface StageRun {
  /** 1 for the first time, one more for each since. */
  readonly iteration: number;
  /** `null` when nothing was said. */
  readonly output: unknown;
  /** From 0 to 1. */
  readonly qualityScore: number;
}

/** The value at `workflow.{id}`. */
export interface WorkflowState<Stage extends string = string> {
  /** All stages, in their order. */
  readonly stages: readonly Stage[];
  /** The one that is being done; `null` when none is. */
  readonly active: Stage | null;
  /** Those that are done, in their order. */
  readonly completed: readonly Stage[];
  /** Those that are still to be done after the active one, in their order. */
  readonly pending: readonly Stage[];
  /** Which time the stage is being done or was done last, by stage; 0 for not yet. */
  readonly iterations: Readonly<Record<Stage, number>>;
  /** Every completion, by stage, oldest first. */
  readonly runs: Readonly<Record<Stage, readonly StageRun[]>>;
  /** The score of the last completion of each stage that was completed. */
  readonly qualityScores: Readonly<Partial<Record<Stage, number>>>;
}

/** What `completeStage` notes. */
export interface StageResult {
  /** What the stage has made, as JSON. @default null */
  readonly output?: unknown;
  /** How good it is, from 0 to 1. */
  readonly qualityScore: number;
}

/** Workflows in a state; see {@link workflows}. */
export interface Workflows<Stage extends string = string> {
  /**
   * Makes a workflow with nothing done.
   *
   * @throws StateExistsError `TELLASK_STATE_EXISTS`, TypeError unless the stages are different texts
   */
  createWorkflow(id: string, stages: readonly Stage[]): StateEntry<WorkflowState<Stage>>;
  /** The workflow; `undefined` when there is none. */
  getWorkflow(id: string): StateEntry<WorkflowState<Stage>> | undefined;
  /**
   * Begins with a stage when all before it are completed and none is being done; of several who
   * begin it one wins. To begin with a stage that was completed iterates: it and all stages after it
   * are to be done again.
   *
   * @throws StateStageError `TELLASK_STATE_STAGE`, StateNotFoundError `TELLASK_STATE_NOT_FOUND`
   */
  startStage(id: string, stage: Stage): StateEntry<WorkflowState<Stage>>;
  /**
   * Notes what the stage that is being done has come to.
   *
   * @throws StateStageError `TELLASK_STATE_STAGE`, StateNotFoundError `TELLASK_STATE_NOT_FOUND`,
   *   RangeError for a score that is not from 0 to 1
   */
  completeStage(id: string, stage: Stage, result: StageResult): StateEntry<WorkflowState<Stage>>;
  /** Its versions that are kept, oldest first, each with who wrote it when and because of what. */
  history(id: string): readonly StateVersion<WorkflowState<Stage>>[];
}

const RESULT: ReadonlySet<string> = new Set<keyof StageResult>(['output', 'qualityScore']);

/**
 * Workflows at the keys `workflow.{id}` of a state, as whoever holds the view: which stages are
 * done, which is being done, how good what they made is, and how often they were repeated. It keeps
 * the books and starts nothing. They are values like any other; a contract has to name the key.
 *
 * @example
 * ```ts
 * import { StateManager, workflows } from 'tellask';
 * const report = workflows<'draft' | 'review'>(new StateManager().as('writer'));
 * report.createWorkflow('7', ['draft', 'review']);
 * report.startStage('7', 'draft');
 * report.completeStage('7', 'draft', { output: 'Tea', qualityScore: 0.6 });
 * report.startStage('7', 'draft'); // not good enough: once more
 * const { value } = report.completeStage('7', 'draft', { output: 'Tea!', qualityScore: 0.9 });
 * [value.iterations.draft, value.qualityScores.draft, value.pending]; // => [2, 0.9, ['review']]
 * ```
 */
export function workflows<Stage extends string = string>(view: AnyStateView): Workflows<Stage> {
  return new StateWorkflows<Stage>(view as StateView);
}

class StateWorkflows<Stage extends string> implements Workflows<Stage> {
  readonly #view: StateView;

  constructor(view: StateView) {
    this.#view = view;
  }

  createWorkflow(id: string, stages: readonly Stage[]): StateEntry<WorkflowState<Stage>> {
    checkStages(stages);
    const workflow: WorkflowState = {
      stages,
      active: null,
      completed: [],
      pending: stages,
      iterations: byStage(stages, () => 0),
      runs: byStage(stages, () => []),
      qualityScores: {},
    };
    return this.#view.create(keyFor(id), workflow) as unknown as StateEntry<WorkflowState<Stage>>;
  }

  getWorkflow(id: string): StateEntry<WorkflowState<Stage>> | undefined {
    return this.#view.get(keyFor(id)) as StateEntry<WorkflowState<Stage>> | undefined;
  }

  startStage(id: string, stage: Stage): StateEntry<WorkflowState<Stage>> {
    return this.#update(id, (was) => {
      const place = placeOf(id, stage, was);
      if (was.active !== null) refuse(id, stage, was, 'busy');
      if (place > was.completed.length) refuse(id, stage, was, 'order');
      return {
        ...was,
        active: stage,
        completed: was.stages.slice(0, place),
        pending: was.stages.slice(place + 1),
        iterations: { ...was.iterations, [stage]: (was.iterations[stage] ?? 0) + 1 },
      };
    });
  }

  completeStage(id: string, stage: Stage, result: StageResult): StateEntry<WorkflowState<Stage>> {
    checkResult(result);
    const { output = null, qualityScore } = result;
    return this.#update(id, (was) => {
      placeOf(id, stage, was);
      if (was.active !== stage) refuse(id, stage, was, 'not-started');
      const run: StageRun = { iteration: was.iterations[stage] ?? 1, output, qualityScore };
      return {
        ...was,
        active: null,
        completed: [...was.completed, stage],
        runs: { ...was.runs, [stage]: [...(was.runs[stage] ?? []), run] },
        qualityScores: { ...was.qualityScores, [stage]: qualityScore },
      };
    });
  }

  history(id: string): readonly StateVersion<WorkflowState<Stage>>[] {
    return this.#view.history(keyFor(id)) as readonly StateVersion<WorkflowState<Stage>>[];
  }

  #update(id: string, fn: (was: WorkflowState) => WorkflowState): StateEntry<WorkflowState<Stage>> {
    const written = this.#view.update(keyFor(id), (was) => fn(was as WorkflowState));
    return written as StateEntry<WorkflowState<Stage>>;
  }
}

function placeOf(id: string, stage: string, workflow: WorkflowState): number {
  const place = workflow.stages.indexOf(stage);
  return place < 0 ? refuse(id, stage, workflow, 'unknown') : place;
}

function refuse(id: string, stage: string, workflow: WorkflowState, why: StageProblem): never {
  throw new StateStageError({ workflow: id, stage, why, ...workflow });
}

function byStage<T>(stages: readonly string[], make: () => T): Readonly<Record<string, T>> {
  return Object.fromEntries(stages.map((stage) => [stage, make()]));
}

function keyFor(id: string): string {
  if (typeof id !== 'string' || id === '') throw misuse('The id of a workflow', 'a text', id);
  return keyOf('workflow.{id}', { id });
}

function checkStages(stages: readonly string[]): void {
  const isText = (one: unknown): boolean => typeof one === 'string' && one !== '';
  if (!Array.isArray(stages) || stages.length === 0 || !stages.every(isText)) {
    throw misuse('The stages', 'a list of at least one text', stages);
  }
  if (stages.includes('__proto__')) throw new TypeError("A stage cannot be named '__proto__'");
  if (new Set(stages).size === stages.length) return;
  throw new TypeError(`The stages must be different, but they are ${stages.join(', ')}`);
}

function checkResult(result: StageResult): void {
  if (typeof result !== 'object' || result === null) {
    throw misuse('The result of a stage', 'an object with qualityScore', result);
  }
  refuseUnknown(result, RESULT, 'completeStage');
  const { qualityScore } = result;
  if (typeof qualityScore !== 'number') throw misuse('qualityScore', 'a number', qualityScore);
  if (qualityScore >= 0 && qualityScore <= 1) return;
  throw new RangeError(misuse('qualityScore', 'from 0 to 1', qualityScore).message);
}
