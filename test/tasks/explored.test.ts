import { describe, expect, it } from 'vitest';
import { type Task, TaskBoard, type TaskStatus } from '../../src/agents.ts';
import { type Agent, RejectedError, StateManager } from '../../src/index.ts';
import { TRANSITIONS } from '../../src/tasks/task.ts';
import { explore, type FaultRule, type TestBus } from '../../src/testing.ts';

const LEASE_MS = 1_000;
const ENDED: readonly TaskStatus[] = ['completed', 'failed', 'canceled', 'rejected'];

/** What a handler does, by the title of its task. */
type Habit = 'return' | 'throw' | 'decline' | 'hang' | 'ask' | 'progress';
const HABITS: readonly Habit[] = ['return', 'throw', 'decline', 'hang', 'ask', 'progress'];

/** Agents that come and go while they do tasks of all kinds. */
async function society(t: TestBus): Promise<void> {
  const board = new TaskBoard(t.bus, {
    leaseMs: LEASE_MS,
    maxAttempts: 3,
    retryFailed: true,
    onFault: (error) => faults.push(error),
  });
  const faults: unknown[] = [];
  const begun: Task[] = [];
  const join = (name: string): Agent => {
    const agent = t.bus.register(name);
    board.work(agent, async (task, context) => {
      begun.push(task);
      for (const id of task.dependsOn) {
        if (board.get(id)?.status !== 'completed') throw new Error(`${id} is not completed`);
      }
      await act(task.title as Habit, task, context);
      return { by: name, token: context.token };
    });
    return agent;
  };
  const [ann] = ['ann', 'bob'].map(join) as [Agent];
  // The scheduler says between which steps she leaves.
  t.bus.subscribe('leave', () => void ann.leave());
  t.bus.publish('leave', {}, { delayMs: 0 });

  board.createAll(
    HABITS.map((title, n) => ({ id: title, title, dependsOn: n > 3 ? ['return'] : [] })),
  );
  board.create({ id: 'after', title: 'return', dependsOn: ['ask', 'progress'] });
  board.create({ id: 'never', title: 'return', dependsOn: ['decline'] });
  await t.clock.advance(1);
  join('cid');
  await goOn(t, board);

  check(t, board, begun);
  expect(faults).toEqual([]);
  board.close();
}

/** Lets time pass, as persons answer, until nothing more comes of it. */
async function goOn(t: TestBus, board: TaskBoard): Promise<void> {
  for (let n = 0; n < 24; n++) {
    for (const { id } of board.list({ status: 'input-required' })) board.provideInput(id, n);
    await t.clock.advance(LEASE_MS / 2);
  }
}

async function act(
  habit: Habit,
  task: Task,
  context: Parameters<Parameters<TaskBoard['work']>[1]>[1],
): Promise<void> {
  switch (habit) {
    case 'throw':
      if (task.attempt === 1) throw new Error('no');
      return;
    case 'decline':
      throw new RejectedError('not mine');
    case 'hang':
      if (task.attempt === 1) await new Promise(() => {});
      return;
    case 'ask':
      await context.requestInput('Well?');
      return;
    case 'progress':
      context.progress({ half: true });
      await Promise.resolve();
      context.progress();
      return;
    default:
  }
}

function check(t: TestBus, board: TaskBoard, begun: readonly Task[]): void {
  for (const task of board.list()) {
    const story = t.bus.state.history(`task.${task.id}`).map(({ value }) => value as Task);
    // No task stays `working` for ever.
    expect([task.id, task.status, ENDED.includes(task.status)]).toEqual([
      task.id,
      task.status,
      true,
    ]);
    // It ends once, and every step is one of the table's.
    expect(story.filter(({ status }) => ENDED.includes(status))).toHaveLength(1);
    for (const [n, { status }] of story.entries()) {
      const before = story[n - 1]?.status ?? status;
      expect(before === status || TRANSITIONS[before].includes(status)).toBe(true);
    }
    // What is taken is of the one who had it last.
    if (task.status === 'completed') expect(task.result).toMatchObject({ token: task.token });
    // Nobody begins twice under one token.
    const tokens = begun.filter(({ id }) => id === task.id).map(({ token }) => token);
    expect(tokens).toEqual([...new Set(tokens)]);
    expect(task.attempt).toBeLessThanOrEqual(task.maxAttempts);
  }
}

const OPTIONS = {
  setup: () => ({ state: new StateManager() }),
  unheard: 'count',
  leaks: 'allow',
  unexpectedLetters: 'allow',
} as const;

describe('a board under many orders of events', () => {
  // R:L4 F:H6
  it('ends every task, once, as its agents hang, throw, decline and ask', async () => {
    const { schedules } = await explore(society, { ...OPTIONS, seeds: 40 });

    expect(schedules).toBe(40);
  });

  it.each<[string, FaultRule[]]>([
    ['are lost', [{ fault: 'drop', probability: 0.2 }]],
    ['come twice', [{ fault: 'duplicate', probability: 0.3, minMs: 0, maxMs: 300 }]],
    ['come late', [{ fault: 'delay', probability: 0.3, minMs: 1, maxMs: 1_500 }]],
    ['hang', [{ fault: 'hang', probability: 0.15, max: 4 }]],
    ['crash', [{ fault: 'crash', probability: 0.2, max: 4 }]],
    ['crash behind it', [{ fault: 'crash', probability: 0.2, max: 4, when: 'after' }]],
    ['see the clock jump', [{ fault: 'clock-jump', byMs: -3_600_000, atMs: 1, withinMs: 2_000 }]],
  ])('ends every task when messages and handlers %s', async (_name, faults) => {
    const { schedules } = await explore(society, { ...OPTIONS, faults, seeds: 8 });

    expect(schedules).toBe(8);
  });
});
