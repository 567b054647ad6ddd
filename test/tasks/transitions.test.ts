import { describe, expect, it } from 'vitest';
import { cycleFrom, verdictOf } from '../../src/tasks/graph.ts';
import { ReadyTasks } from '../../src/tasks/ready-tasks.ts';
import { isSooner, type Task, type TaskStatus, TRANSITIONS } from '../../src/tasks/task.ts';

const STATES = Object.keys(TRANSITIONS) as TaskStatus[];

/** What a task must have for the rules. */
function task(some: Partial<Task>): Task {
  return {
    id: 'a',
    title: 'A',
    creator: '$host',
    status: 'submitted',
    priority: 5,
    requirements: {},
    dependsOn: [],
    onDependencyFailure: 'skip',
    input: null,
    maxAttempts: 3,
    attempt: 0,
    token: 0,
    order: 1,
    createdAt: 0,
    updatedAt: 0,
    ...some,
  };
}

describe('the states of a task', () => {
  // R:L4 F:H2
  it('are those of A2A, and the ways between them are these', () => {
    const ways = STATES.flatMap((from) =>
      STATES.filter((to) => TRANSITIONS[from].includes(to)).map((to) => `${from} -> ${to}`),
    );

    expect(STATES).toEqual([
      'submitted',
      'working',
      'input-required',
      'completed',
      'failed',
      'canceled',
      'rejected',
    ]);
    expect(ways).toEqual([
      'submitted -> working',
      'submitted -> failed',
      'submitted -> canceled',
      'submitted -> rejected',
      'working -> submitted',
      'working -> input-required',
      'working -> completed',
      'working -> failed',
      'working -> canceled',
      'working -> rejected',
      'input-required -> submitted',
      'input-required -> working',
      'input-required -> completed',
      'input-required -> failed',
      'input-required -> canceled',
      'input-required -> rejected',
    ]);
  });
});

describe('what dependencies say', () => {
  // R:L4 F:H3
  it.each([
    ['completed', 'skip', 'ready'],
    ['completed', 'run', 'ready'],
    ['completed', 'wait', 'ready'],
    ['failed', 'skip', 'skipped'],
    ['failed', 'run', 'ready'],
    ['failed', 'wait', 'waiting'],
    ['canceled', 'skip', 'skipped'],
    ['canceled', 'run', 'ready'],
    ['canceled', 'wait', 'waiting'],
    ['rejected', 'skip', 'skipped'],
    ['rejected', 'run', 'ready'],
    ['rejected', 'wait', 'waiting'],
    ['submitted', 'skip', 'waiting'],
    ['submitted', 'run', 'waiting'],
    ['working', 'skip', 'waiting'],
    ['input-required', 'run', 'waiting'],
  ] as const)('%s and %s: %s', (status, onDependencyFailure, kind) => {
    const verdict = verdictOf(task({ dependsOn: ['b', 'c'], onDependencyFailure }), (id) =>
      task({ id, status: id === 'b' ? status : 'completed' }),
    );

    expect(verdict.kind).toBe(kind);
  });

  it('finds a circle of any length, and none in a diamond', () => {
    const of = (edges: Record<string, readonly string[]>) => (id: string) => edges[id] ?? [];

    expect(cycleFrom('a', of({ a: ['a'] }))).toEqual(['a', 'a']);
    expect(cycleFrom('a', of({ a: ['x', 'b'], b: ['c'], c: ['a'], x: ['y'] }))).toEqual([
      'a',
      'b',
      'c',
      'a',
    ]);
    expect(cycleFrom('a', of({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }))).toBeUndefined();
  });

  it('needs no deep stack for a deep chain', () => {
    const of = (id: string) => (Number(id) < 100_000 ? [String(Number(id) + 1)] : []);

    expect(cycleFrom('0', of)).toBeUndefined();
  });
});

describe('what is handed out first', () => {
  // F:H4
  it.each([
    ['the higher priority', { priority: 8, order: 2, dueAt: 9 }, { priority: 5, dueAt: 1 }],
    ['of equal priority the earlier due date', { dueAt: 1, order: 2 }, { dueAt: 2 }],
    ['a due date before none', { dueAt: 1, order: 2 }, {}],
    ['of equal due date the older', { order: 1 }, { order: 2 }],
  ] as const)('is %s', (_name, sooner, later) => {
    expect(isSooner(task(sooner), task(later))).toBe(true);
    expect(isSooner(task(later), task(sooner))).toBe(false);
  });

  it('is the same for any order in which tasks come', () => {
    const tasks = Array.from({ length: 60 }, (_, n) =>
      task({ id: `t${n}`, priority: (n * 7) % 4, dueAt: (n * 13) % 5, order: n }),
    );
    const wanted = tasks.toSorted((a, b) => (isSooner(a, b) ? -1 : 1)).map(({ id }) => id);
    const ready = new ReadyTasks(() => true);
    for (const one of tasks.toReversed()) ready.add(one);
    const [group] = ready.groups();

    const came: string[] = [];
    for (let one = group?.tasks.pop(); one !== undefined; one = group?.tasks.pop()) {
      came.push(one.id);
    }

    expect(came).toEqual(wanted);
  });
});
