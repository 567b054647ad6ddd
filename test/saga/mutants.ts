import type { Mutant } from '../property/mutants.ts';

/** Faults that the runner of sagas could really have; the proofs must see each of them. */
export const SAGA_MUTANTS: readonly Mutant[] = [
  {
    name: 'a step is run before the intent is saved',
    file: 'saga/runner.ts',
    text: 'this.#keeper.change(begun(keys));\n    await this.#keeper.save();',
    replacement: 'this.#keeper.change(begun(keys));',
  },
  {
    name: 'a step is saved as done before it is run',
    file: 'saga/journal.ts',
    text: "withSteps(journal, fresh, () => ({ state: 'started' }))",
    replacement: "withSteps(journal, fresh, () => ({ state: 'completed', attempts: 1 }))",
  },
  {
    name: 'the compensation of the first step is skipped',
    file: 'saga/next.ts',
    text: 'stages.toReversed()',
    replacement: 'stages.slice(1).toReversed()',
  },
  {
    name: 'compensations run in the order of the steps',
    file: 'saga/next.ts',
    text: 'stages.toReversed()',
    replacement: 'stages',
  },
  {
    name: 'a step of unknown outcome is not compensated',
    file: 'saga/next.ts',
    text: "return step.state !== 'failed' &&",
    replacement: "return step.state !== 'unknown' && step.state !== 'failed' &&",
  },
  {
    name: 'who takes it up forgets that a step was interrupted',
    file: 'saga/journal.ts',
    text: 'steps: interrupted(journal.steps)',
    replacement: 'steps: journal.steps',
  },
  {
    name: 'a compensation that was interrupted is taken for done',
    file: 'saga/next.ts',
    text: "step.state !== 'undone' &&",
    replacement: "step.state !== 'undone' && step.state !== 'undoing' &&",
  },
  {
    name: 'the end is not saved',
    file: 'saga/runner.ts',
    text: 'this.#keeper.change(finished(todo.status));\n      await this.#keeper.save();',
    replacement: 'this.#keeper.change(finished(todo.status));',
  },
  {
    name: 'the idempotency key changes with the attempt',
    file: 'saga/runner.ts',
    text: "(undo ? '/undo' : '')",
    replacement: "(undo ? '/undo' : '/'.concat(attempt))",
  },
  {
    name: 'the pivot is overlooked',
    file: 'saga/next.ts',
    text: "return pivot && state !== undefined && state !== 'failed';",
    replacement: "return pivot && state === 'undone';",
  },
  {
    name: 'cancelling reaches the compensations',
    file: 'saga/runner.ts',
    text: 'const ending = await call.run(this.#halt);',
    replacement: 'const ending = await call.run(this.#forth);',
  },
  {
    name: 'the heart goes on when the saga is over',
    file: 'saga/journal-keeper.ts',
    text: 'this.#heart?.cancel();\n    this.#heart = undefined;',
    replacement: '',
  },
  {
    name: 'a claim is saved whatever the version',
    file: 'saga/claim.ts',
    text: 'store.commit([{ key, value, expectedVersion }])',
    replacement: 'store.commit([{ key, value }])',
  },
  {
    name: 'who was overtaken can still save',
    file: 'saga/journal-keeper.ts',
    text: 'expectedVersion: this.#version }',
    replacement: '}',
  },
  {
    name: 'a lease that has ended still counts',
    file: 'saga/claim.ts',
    text: 'now < leaseEndsAt &&',
    replacement: '',
  },
  {
    name: 'why it stopped is forgotten',
    file: 'saga/journal.ts',
    text: 'if (journal.stop !== undefined) return journal;',
    replacement: '',
  },
];
