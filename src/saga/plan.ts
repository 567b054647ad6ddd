import { misuse } from '../kernel/errors.ts';
import type { Shape } from './next.ts';
import { planStep, type StepPlan } from './step.ts';

/** One stage of a definition: a step, or a group whose members run at the same time. */
export interface StagePlan {
  readonly name: string;
  readonly group: boolean;
  readonly steps: readonly StepPlan[];
}

const LONGEST_NAME = 128;

/** A definition, checked. Each change makes a new one. */
export class Plan implements Shape {
  readonly name: string;
  readonly parts: readonly StagePlan[];
  readonly stages: readonly (readonly StepPlan[])[];
  readonly #steps: ReadonlyMap<string, StepPlan>;

  constructor(name: string, parts: readonly StagePlan[] = []) {
    this.name = name;
    this.parts = parts;
    this.stages = parts.map(({ steps }) => steps);
    this.#steps = new Map(this.stages.flat().map((step) => [step.key, step]));
  }

  step(key: string): StepPlan {
    const step = this.#steps.get(key);
    if (step === undefined) throw new TypeError(`Saga ${this.name} has no step ${key}`);
    return step;
  }

  /**
   * What a saga in a store has to agree with to go on: the names, the groups and the pivot. What
   * the steps do may change.
   */
  get fingerprint(): string {
    return this.parts.map(printStage).join(' > ');
  }

  withStep(name: string, step: unknown): Plan {
    this.#checkNew(name);
    return this.#with({ name, group: false, steps: [planStep(name, step)] });
  }

  withGroup(name: string, members: unknown): Plan {
    this.#checkNew(name);
    if (typeof members !== 'object' || members === null) {
      throw misuse(`Group ${name}`, 'an object of steps', members);
    }
    const names = Object.keys(members);
    if (names.length === 0) throw new TypeError(`Group ${name} has no step`);
    for (const member of names) checkName('The name of a step', member);
    const steps = Object.entries(members).map(([key, step]) => planStep(`${name}/${key}`, step));
    return this.#with({ name, group: true, steps });
  }

  #with(part: StagePlan): Plan {
    const crossed = this.stages.flat().some(({ pivot }) => pivot);
    for (const { key, pivot, undoable } of part.steps) {
      if (pivot && part.group) {
        throw new TypeError(`Step ${key} is in a group, which cannot have a pivot: put it behind`);
      }
      if (pivot && crossed) throw new TypeError(`Step ${key} would be a second pivot`);
      if (undoable && (pivot || crossed)) {
        const where = pivot ? 'is the pivot' : 'stands behind the pivot';
        throw new TypeError(`Step ${key} ${where}, so that its compensate would never be called`);
      }
    }
    return new Plan(this.name, [...this.parts, part]);
  }

  #checkNew(name: string): void {
    checkName('The name of a step', name);
    if (!this.parts.some((part) => part.name === name)) return;
    throw new TypeError(`Saga ${this.name} has a step ${name} already`);
  }
}

/** Names are parts of keys, with `/` between them. */
export function checkName(what: string, name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME) {
    throw misuse(what, `a string of 1 to ${LONGEST_NAME} characters`, name);
  }
  // Results and journals are plain objects: every one of them has a `constructor` already.
  if (name in Object.prototype || /[/>(),*\0\p{Surrogate}]/u.test(name)) {
    throw misuse(what, 'a name without / > ( ) , and * that is no property of every object', name);
  }
}

function printStage({ name, group, steps }: StagePlan): string {
  if (!group) return steps[0]?.pivot === true ? `${name}*` : name;
  const members = steps.map(({ key }) => key.slice(name.length + 1)).toSorted();
  return `${name}(${members.join(', ')})`;
}
