import { describe, expect, it } from 'vitest';
import { type SagaEvent, type SagaStep, saga } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import {
  type EveryCrashOptions,
  everyCrash,
  type RunnableSaga,
  type SagaWorld,
} from '../../src/testing.ts';

const SEEDS = 60;
const refusal = new Error('refused');

type Fate = 'done' | 'done at the second attempt' | 'refused' | 'never heard of';
type Undoing = 'undone' | 'undone at the second attempt' | 'not undone';

interface StepPlan {
  readonly name: string;
  readonly fate: Fate;
  readonly undoing: Undoing;
  readonly pivot: boolean;
}

/** What a seed makes: stages of one step or more, and the step at whose beginning it is cancelled. */
interface Program {
  readonly stages: readonly (readonly StepPlan[])[];
  readonly cancelAt: string | undefined;
}

function makeProgram(seed: number): Program {
  const random = seededRandom(seed);
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T;
  const count = 1 + Math.floor(random() * 4);
  const pivotAt = random() < 0.4 ? Math.floor(random() * count) : count;
  const stages = Array.from({ length: count }, (_, stage) => {
    const members = stage === pivotAt || random() < 0.6 ? 1 : 2 + Math.floor(random() * 2);
    return Array.from(
      { length: members },
      (_member, index): StepPlan => ({
        name: `s${stage}${'abc'[index]}`,
        fate: pick([
          'done',
          'done',
          'done',
          'done at the second attempt',
          'refused',
          'never heard of',
        ]),
        undoing: pick(['undone', 'undone', 'undone at the second attempt', 'not undone']),
        pivot: stage === pivotAt,
      }),
    );
  });
  const last = `s${Math.floor(random() * count)}a`;
  return { stages, cancelAt: random() < 0.3 ? last : undefined };
}

function makeStep(
  world: SagaWorld,
  plan: StepPlan,
  undoable: boolean,
): SagaStep<string, object, string> {
  const step: SagaStep<string, object, string> = {
    run: async (_, c) => {
      if (plan.fate === 'refused') return world.fail(c, refusal);
      if (plan.fate === 'done at the second attempt' && c.attempt === 1)
        return world.fail(c, refusal);
      const done = await world.perform(c, plan.name);
      if (plan.fate !== 'never heard of') return done;
      return new Promise((_resolve, reject) => {
        c.signal.addEventListener('abort', () => reject(c.signal.reason));
      });
    },
    retry: plan.fate === 'refused' ? false : { maxAttempts: 2, baseMs: 5, jitter: 'none' },
    timeoutMs: 20,
    pivot: plan.pivot,
  };
  if (!undoable) return step;
  return {
    ...step,
    compensate: (_, c) => {
      if (plan.undoing === 'not undone') return world.fail(c, refusal);
      const late = plan.undoing === 'undone at the second attempt' && c.attempt === 1;
      return late ? world.fail(c, refusal) : world.undo(c);
    },
    compensation: { retry: { maxAttempts: 2, baseMs: 5, jitter: 'none' } },
  };
}

function makeSaga({ stages }: Program, world: SagaWorld): RunnableSaga<string> {
  let definition = saga<string>('random');
  let undoable = true;
  for (const [index, stage] of stages.entries()) {
    undoable &&= !stage.some(({ pivot }) => pivot);
    const steps = stage.map((plan) => [plan.name, makeStep(world, plan, undoable)] as const);
    const [[name, step]] = steps as [readonly [string, SagaStep<string, object, string>]];
    definition = (
      stage.length === 1
        ? definition.step(name as never, step)
        : definition.parallel(`g${index}`, Object.fromEntries(steps) as never)
    ) as never;
  }
  return definition;
}

/**
 * A crash leaves open what would have failed without an effect: then that is undone as well, which
 * may fail; and a pivot that is refused when it runs again may have happened the first time.
 */
function mayEnd({ stages }: Program): EveryCrashOptions['mayEnd'] & {} {
  const steps = stages.flat();
  const stuck = steps.some(({ undoing }) => undoing === 'not undone');
  const shut = steps.some(({ pivot, fate }) => pivot && fate === 'refused');
  return [
    ...(stuck ? ['compensation-failed' as const] : []),
    ...(shut ? ['failed-after-pivot' as const] : []),
  ];
}

// R:I1, R:I2, R:I5
describe('a saga made at random', () => {
  it('bears a crash at every commit', async () => {
    const statuses = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const program = makeProgram(seed);
      const cancelWhen = (event: SagaEvent): boolean =>
        event.type === 'step-started' && event.step.endsWith(program.cancelAt ?? '!');
      const proof = await everyCrash((world) => ({ saga: makeSaga(program, world) }), 'Rome', {
        crashes: 1,
        cancelWhen,
        mayEnd: mayEnd(program),
      }).catch((error: Error) => {
        throw new Error(`seed ${seed}: ${error.message}\n${JSON.stringify(program)}`);
      });
      statuses.add(proof.status);
    }

    expect([...statuses].toSorted()).toEqual([
      'cancelled',
      'compensated',
      'compensation-failed',
      'completed',
      'failed-after-pivot',
    ]);
  });
});
