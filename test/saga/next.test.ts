import { describe, expect, it } from 'vitest';
import { judge } from '../../src/saga/claim.ts';
import type { SagaJournal, SagaStepState } from '../../src/saga/journal.ts';
import { type Next, next, type Shape } from '../../src/saga/next.ts';

// a, then b and c together, then the pivot p, then d and e together; d has no compensation to call.
const SHAPE: Shape = {
  stages: [[step('a')], [step('b'), step('c')], [step('p', true)], [step('d'), step('e')]],
};

function step(key: string, pivot = false): Shape['stages'][number][number] {
  return { key, pivot, undoable: !['p', 'd', 'e'].includes(key) };
}

const STATES: Readonly<Record<string, SagaStepState>> = {
  '>': 'started',
  '+': 'completed',
  '-': 'failed',
  '?': 'unknown',
  '~': 'undoing',
  o: 'undone',
  '!': 'undo-failed',
};

/** `a+ b>`: a is completed, b is started. */
function journal(states: string, stop?: string): SagaJournal {
  const words = states.split(' ').filter((word) => word !== '');
  const steps = words.map((word) => [word[0], { state: STATES[word[1] as string] }]);
  const error = { name: 'Error', message: 'x', retryable: false, cause: [] };
  const cause = stop === 'cancelled' ? 'cancelled' : 'failed';
  return {
    format: 1,
    saga: 's',
    id: '1',
    shape: '',
    status: 'running',
    steps: Object.fromEntries(steps),
    ...(stop === undefined ? {} : { stop: { cause, error, undo: stop !== 'forth' } }),
    recoveries: 0,
    startedAt: 0,
    updatedAt: 0,
  };
}

function say(todo: Next): string {
  return todo.action === 'finish' ? todo.status : `${todo.action} ${todo.steps.join(' ')}`;
}

describe('next', () => {
  // R:I3: what comes next is read off the journal alone.
  it.each([
    ['', 'run a'],
    ['a>', 'run a'],
    ['a+', 'run b c'],
    ['a+ b> c>', 'run b c'],
    ['a+ b+ c>', 'run c'],
    ['a+ b+', 'run c'],
    ['a+ b+ c+', 'run p'],
    ['a+ b+ c+ p>', 'run p'],
    ['a+ b+ c+ p+', 'run d e'],
    ['a+ b+ c+ p+ d+ e+', 'completed'],
  ])('goes forward from "%s": %s', (states, expected) => {
    expect(say(next(SHAPE, journal(states)))).toBe(expected);
  });

  // R:I1, R:I2
  it.each([
    ['a-', 'compensated'],
    ['a?', 'compensate a'],
    ['a+ b- c+', 'compensate c'],
    ['a+ b- c?', 'compensate c'],
    ['a+ b- c>', 'compensate c'],
    ['a+ b? c+', 'compensate b c'],
    ['a+ b- c-', 'compensate a'],
    ['a+ b- c~', 'compensate c'],
    ['a+ b- co', 'compensate a'],
    ['a+ b- c!', 'compensate a'],
    ['a~ b- co', 'compensate a'],
    ['ao b- co', 'compensated'],
    ['ao b- c!', 'compensation-failed'],
    ['a! bo co', 'compensation-failed'],
    ['a+ b+ c+ p-', 'compensate b c'],
    ['a+ bo c+ p-', 'compensate c'],
  ])('goes back from "%s": %s', (states, expected) => {
    expect(say(next(SHAPE, journal(states, 'failed')))).toBe(expected);
  });

  // R:I4
  it.each([
    ['', 'cancelled'],
    ['a+', 'compensate a'],
    ['ao', 'cancelled'],
    ['a!', 'compensation-failed'],
  ])('calls off "%s": %s', (states, expected) => {
    expect(say(next(SHAPE, journal(states, 'cancelled')))).toBe(expected);
  });

  // R:I2
  it.each([
    ['a+ b+ c+ p?', 'failed-after-pivot'],
    ['a+ b+ c+ p+ d- e>', 'run e'],
    ['a+ b+ c+ p+ d- e+', 'failed-after-pivot'],
    ['a+ b+ c+ p+ d- e?', 'failed-after-pivot'],
  ])('does not go back behind the pivot from "%s": %s', (states, expected) => {
    expect(say(next(SHAPE, journal(states, 'forth')))).toBe(expected);
  });
});

describe('who may take a saga up', () => {
  const open = { ...journal('a>'), owner: 'ann', leaseEndsAt: 1_000 };
  const { owner: _, leaseEndsAt: __, ...left } = open;
  const claim = { force: false, takeOver: false, maxRecoveries: 2, hasEnded: () => false };
  const again = { verdict: 'take', recovers: true, revive: false };

  // R:I3
  it.each([
    ['while the lease runs, nobody', open, 999, {}, { verdict: 'held', owner: 'ann', forMs: 1 }],
    ['when the lease has ended, whoever comes', open, 1_000, {}, again],
    ['with takeOver, whoever comes', open, 0, { takeOver: true }, again],
    ['after an owner that is known to be gone', open, 0, { hasEnded: () => true }, again],
    ['what was left, at no cost', left, 0, {}, { ...again, recovers: false }],
    ['after too many times nobody', { ...open, recoveries: 2 }, 1_000, {}, { verdict: 'park' }],
    ['one less is not too many', { ...open, recoveries: 1 }, 1_000, {}, again],
    ['what is over, nobody', { ...left, status: 'parked' }, 0, {}, { verdict: 'over' }],
    [
      'with force, what is parked',
      { ...left, status: 'parked' },
      0,
      { force: true },
      { verdict: 'take', recovers: false, revive: true },
    ],
    [
      'with force, not what is done',
      { ...left, status: 'completed' },
      0,
      { force: true },
      { verdict: 'over' },
    ],
    [
      'with force, not what is undone',
      { ...left, status: 'compensated' },
      0,
      { force: true },
      { verdict: 'over' },
    ],
  ] as const)('%s', (_name, found, now, terms, expected) => {
    expect(judge(found as SagaJournal, now, { ...claim, ...terms })).toEqual(expected);
  });
});
