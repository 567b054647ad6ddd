import { Cancellation } from '../kernel/cancellation.ts';
import type { Env } from '../kernel/env.ts';
import { toErrorRecord } from '../kernel/error-record.ts';
import { SagaStepAbandonedError, SagaStepAbortedError, SagaStoppedError } from './errors.ts';
import {
  begun,
  completed,
  failed,
  finished,
  type Json,
  released,
  type SagaJournal,
  stopped,
  undoFailed,
  undoing,
  undone,
  withdrawn,
} from './journal.ts';
import type { JournalKeeper } from './journal-keeper.ts';
import { takeJson } from './json.ts';
import { hasCrossed, mayCancel, next } from './next.ts';
import type { Plan } from './plan.ts';
import { type OnSagaProgress, type SagaEvent, tell } from './progress.ts';
import { resultsBefore } from './results.ts';
import { SagaVoice, type Scene } from './saga-voice.ts';
import type { StepPlan } from './step.ts';
import { type Attempted, type Ending, StepCall } from './step-call.ts';
import { leavesOpen } from './unknown-outcome.ts';

/** What a runner works with. */
export interface RunnerParts {
  readonly env: Env;
  readonly plan: Plan;
  readonly keeper: JournalKeeper;
  readonly scene: Omit<Scene, 'lost'>;
  readonly onProgress: OnSagaProgress | undefined;
}

/** Does what `next` says until there is nothing left, and writes down each thing before and after. */
export class Runner {
  readonly #parts: RunnerParts;
  readonly #keeper: JournalKeeper;
  readonly #scene: Scene;
  /** Calls off the steps that run now. */
  #forth = new Cancellation();
  /** Calls off everything, compensations too: here the saga does not go on. */
  readonly #halt = new Cancellation();
  /** Calls, by step, that were given up and still run. */
  readonly #abandoned = new Map<string, StepCall>();

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#keeper = parts.keeper;
    this.#keeper.onHalt = (error) => this.#stop(error);
    this.#scene = { ...parts.scene, lost: (error) => this.leave('nobody can be asked', error) };
  }

  /** Resolves with a journal that is over; rejects when it has to stop before. */
  async run(): Promise<SagaJournal> {
    this.#keeper.beat();
    try {
      while (await this.#goOn());
      return this.#keeper.journal;
    } catch (error) {
      await this.#letGo();
      throw error;
    } finally {
      this.#keeper.end();
    }
  }

  /** Calls the saga off, unless there is no way back, or nothing left to call off. */
  cancel(reason: unknown): void {
    const { plan } = this.#parts;
    if (this.#halt.aborted || !mayCancel(plan, this.#keeper.journal)) return;
    const error = toErrorRecord(reason);
    this.#keeper.change(stopped({ cause: 'cancelled', error, undo: true }));
    this.#tell({ type: 'cancelled', error });
    this.#keeper.save().catch(() => {});
    this.#forth.abort(reason);
  }

  /** Stops here, and leaves the saga to whoever takes it up. */
  leave(why: string, error: unknown): void {
    const { saga, id } = this.#scene;
    this.#stop(new SagaStoppedError(saga, id, why, { cause: error }));
  }

  #stop(error: unknown): void {
    this.#halt.abort(error);
    this.#forth.abort(error);
  }

  /** Nothing runs any more. What is known is saved, and nobody has to wait for the lease to end. */
  async #letGo(): Promise<void> {
    if (this.#keeper.halted) return;
    this.#keeper.change(released);
    await this.#keeper.save().catch(() => {});
  }

  async #goOn(): Promise<boolean> {
    // Also before the first step: it may have had to stop while it was being taken up.
    if (this.#halt.aborted) throw this.#halt.reason;
    const todo = next(this.#parts.plan, this.#keeper.journal);
    if (todo.action === 'run') await this.#runSteps(todo.steps);
    else if (todo.action === 'compensate') await this.#undoSteps(todo.steps);
    else {
      this.#keeper.change(finished(todo.status));
      await this.#keeper.save();
      this.#tell({ type: 'finished', status: todo.status });
      return false;
    }
    return true;
  }

  async #runSteps(keys: readonly string[]): Promise<void> {
    this.#forth = new Cancellation();
    this.#keeper.change(begun(keys));
    await this.#keeper.save();
    await this.#together(keys, (key) => this.#runStep(key));
  }

  async #undoSteps(keys: readonly string[]): Promise<void> {
    this.#keeper.change(undoing(keys));
    await this.#keeper.save();
    await this.#together(keys, (key) => this.#undoStep(key));
  }

  /** What the last of them comes to is saved together with what follows. */
  async #together(keys: readonly string[], perform: (key: string) => Promise<void>): Promise<void> {
    let running = keys.length;
    const performances = keys.map(async (key) => {
      await perform(key);
      running -= 1;
      if (running > 0 && !this.#halt.aborted) await this.#keeper.save().catch(() => {});
    });
    await Promise.all(performances);
  }

  async #runStep(key: string): Promise<void> {
    if (this.#forth.aborted) return this.#keeper.change(withdrawn(key));
    const step = this.#parts.plan.step(key);
    this.#tell({ type: 'step-started', step: key });
    const call = this.#call(step, false, (voice) => step.run(this.#scene.input, voice as never));
    const ending = takeResult(key, await call.run(this.#forth));
    if (call.abandoned) this.#abandoned.set(key, call);
    if (ending.ok) this.#completed(key, ending.value, call.attempts);
    // Whoever takes it up sees that it was begun, and cannot know more than that.
    else if (!this.#halt.aborted) this.#failed(key, ending, call.attempts);
  }

  #completed(key: string, result: Json | undefined, attempts: number): void {
    this.#keeper.change(completed(key, result, attempts));
    this.#tell({ type: 'step-completed', step: key, attempts });
  }

  #failed(key: string, ending: Failed, attempts: number): void {
    const error = toErrorRecord(ending.error);
    this.#keeper.change(failed(key, error, ending.unknown, attempts));
    const { journal } = this.#keeper;
    const unknown = journal.steps[key]?.state === 'unknown';
    this.#tell({ type: 'step-failed', step: key, error, unknown });
    const undo = !hasCrossed(this.#parts.plan, journal);
    this.#keeper.change(stopped({ cause: 'failed', step: key, error, undo }));
    // Behind the pivot the others go on: nothing of what they do is undone.
    if (undo) this.#forth.abort(new SagaStepAbortedError(key));
  }

  async #undoStep(key: string): Promise<void> {
    const step = this.#parts.plan.step(key);
    const result = this.#keeper.journal.steps[key]?.result;
    const runsOn = this.#abandoned.get(key)?.abandoned === true;
    this.#tell({ type: 'compensation-started', step: key });
    const call = this.#call(step, true, (voice) => step.compensate?.(result, voice as never));
    const ending = await call.run(this.#halt);
    if (ending.ok && runsOn) this.#notUndone(key, new SagaStepAbandonedError(key), call.attempts);
    else if (ending.ok) this.#undone(key, call.attempts);
    else if (!this.#halt.aborted) this.#notUndone(key, ending.error, call.attempts);
  }

  #undone(key: string, attempts: number): void {
    this.#keeper.change(undone(key, attempts));
    this.#tell({ type: 'compensated', step: key, attempts });
  }

  #notUndone(key: string, thrown: unknown, attempts: number): void {
    const error = toErrorRecord(thrown);
    this.#keeper.change(undoFailed(key, error, attempts));
    this.#tell({ type: 'compensation-failed', step: key, error });
  }

  #call(step: StepPlan, undo: boolean, say: (voice: SagaVoice) => unknown): StepCall {
    const { env, plan } = this.#parts;
    const { key } = step;
    const shielded = undo || hasCrossed(plan, this.#keeper.journal);
    const results = resultsBefore(plan, key, this.#keeper.journal);
    const { saga, id } = this.#scene;
    return new StepCall({
      env,
      name: undo ? `The compensation of step ${key}` : `Step ${key}`,
      plan: undo ? step.undo : step.call,
      leavesOpen: (error) => mayHaveHappened(step, error),
      invoke: (attempted: Attempted) => {
        const { attempt, cancellation } = attempted;
        const idempotencyKey = keyOf(saga, id, key) + (undo ? '/undo' : '');
        const part = { step: key, idempotencyKey, results, attempt, shielded, cancellation };
        const voice = new SagaVoice(this.#scene, part);
        attempted.onEnd = () => voice.end();
        return say(voice);
      },
      retried: (attempt, error) => {
        const type = undo ? 'compensation-retried' : 'step-retried';
        this.#tell({ type, step: key, attempt, error: toErrorRecord(error) });
      },
    });
  }

  #tell(event: SagaEvent): void {
    tell(this.#parts.onProgress, event);
  }
}

type Failed = Extract<Ending, { ok: false }>;
type Taken = { readonly ok: true; readonly value: Json | undefined } | Failed;

/** A result that cannot be saved belongs to a step that has had its effect. */
function takeResult(key: string, ending: Ending): Taken {
  if (!ending.ok) return ending;
  try {
    return { ok: true, value: takeJson(ending.value, `The result of step ${key}`) };
  } catch (error) {
    return { ok: false, error, unknown: true };
  }
}

/** A judge that fails leaves it open. */
function mayHaveHappened({ isUnknown = leavesOpen }: StepPlan, error: unknown): boolean {
  try {
    return isUnknown(error) !== false;
  } catch {
    return true;
  }
}

/** `booking/trip-7/flight`, where no part of it can be taken for another. */
function keyOf(saga: string, id: string, step: string): string {
  return `${saga}/${escapeId(id)}/${step}`;
}

/** An id may hold what separates the parts of a key. */
export function escapeId(id: string): string {
  return id.replaceAll('%', '%25').replaceAll('/', '%2F');
}
