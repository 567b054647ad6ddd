import { describe, expect, it } from 'vitest';
import { type Task, TaskBoard, type TaskBoardOptions } from '../../src/agents.ts';
import { type Message, StateManager } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { type EnvName, makeBus } from '../make-bus.ts';

/** A board on a bus of the Env. */
function makeBoard(env: EnvName, options: TaskBoardOptions = {}) {
  const { bus, settle } = makeBus(env, { state: new StateManager() });
  return { bus, settle, board: new TaskBoard(bus, options) };
}

/** A board on virtual time. */
function makeTestBoard(options: TaskBoardOptions = {}) {
  const t = createTestBus({ state: new StateManager(), unheard: 'count' });
  return { t, bus: t.bus, board: new TaskBoard(t.bus, options) };
}

const never = () => new Promise<never>(() => {});
const WRITE = { requirements: { capability: 'write' } };

describe.each(['real', 'simulated'] as const)('a task board, on the %s Env', (env) => {
  // R:L4 F:H1
  it('hands a task to an agent that can do it, and keeps what it returns', async () => {
    const { bus, board, settle } = makeBoard(env);
    board.work(bus.register('reader', { capabilities: ['read'] }), () => 'not mine');
    board.work(
      bus.register('writer', { capabilities: ['write'] }),
      (task) => `a text about ${task.input}`,
    );

    const { id } = board.create({ title: 'Draft', ...WRITE, input: 'tea', creator: 'ann' });
    await settle();

    expect(board.get(id)).toMatchObject({
      status: 'completed',
      result: 'a text about tea',
      assignee: 'writer',
      creator: 'ann',
      attempt: 1,
      token: 1,
    });
    expect(await board.ended(id)).toBe(board.get(id));
  });

  it('fails a task whose handler throws, with the error', async () => {
    const { bus, board, settle } = makeBoard(env);
    board.work(bus.register('writer'), () => {
      throw new RangeError('too long');
    });

    const { id } = board.create({ title: 'Draft' });
    await settle();

    expect(board.get(id)).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { name: 'RangeError', message: 'too long' },
    });
  });

  it('fails a task whose result is no JSON', async () => {
    const { bus, board, settle } = makeBoard(env);
    board.work(bus.register('writer'), () => ({ write: () => {} }));

    const { id } = board.create({ title: 'Draft' });
    await settle();

    expect(board.get(id)).toMatchObject({
      status: 'failed',
      error: { code: 'TELLASK_STATE_VALUE' },
    });
  });

  // F:H4
  it('hands out by priority, then due date, then age', async () => {
    const { bus, board, settle } = makeBoard(env);
    const log: string[] = [];
    for (const [id, priority, dueAt] of [
      ['e', 5, undefined],
      ['d', 5, 2_000],
      ['c', 5, 1_000],
      ['f', 5, undefined],
      ['g', 2, 1],
      ['a', 'critical', undefined],
      ['b', 8, undefined],
    ] as const) {
      board.create({ id, title: id, priority, ...(dueAt === undefined ? {} : { dueAt }) });
    }
    board.work(bus.register('writer'), ({ id }) => void log.push(id));
    await settle();

    expect(log).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  // R:L4 F:H3
  it('begins a task when those that it depends on have completed, and gives it their results', async () => {
    const { bus, board, settle } = makeBoard(env);
    const log: unknown[] = [];
    board.work(bus.register('writer'), ({ id }, { results }) => {
      log.push([id, results]);
      return id.toUpperCase();
    });

    board.createAll([
      { id: 'd', title: 'D', dependsOn: ['b', 'c'] },
      { id: 'c', title: 'C', dependsOn: ['a'] },
      { id: 'b', title: 'B', dependsOn: ['a'], priority: 8 },
      { id: 'a', title: 'A' },
    ]);
    await settle();

    expect(log).toEqual([
      ['a', {}],
      ['b', { a: 'A' }],
      ['c', { a: 'A' }],
      ['d', { b: 'B', c: 'C' }],
    ]);
  });

  it.each([
    ['skip', 'canceled', 'it depends on a, which is failed'],
    ['run', 'completed', undefined],
    ['wait', 'submitted', undefined],
  ] as const)(
    'does with what depends on a failed task what it says: %s',
    async (onDependencyFailure, status, reason) => {
      const { bus, board, settle } = makeBoard(env);
      board.work(bus.register('writer'), ({ id }) => {
        if (id === 'a') throw new Error('no');
      });

      board.createAll([
        { id: 'a', title: 'A' },
        { id: 'b', title: 'B', dependsOn: ['a'], onDependencyFailure },
        { id: 'c', title: 'C', dependsOn: ['b'] },
      ]);
      await settle();

      expect(board.get('b')?.status).toBe(status);
      expect(board.get('b')?.reason).toBe(reason);
      expect(board.get('c')?.status).toBe(status);
    },
  );

  it('refuses tasks that would wait for each other, by name, and writes none of them', () => {
    const { bus, board } = makeBoard(env);
    board.create({ id: 'x', title: 'X' });
    board.create({ id: 'y', title: 'Y', dependsOn: ['x'] });

    const circle = () =>
      board.createAll([
        { id: 'a', title: 'A', dependsOn: ['b'] },
        { id: 'b', title: 'B', dependsOn: ['c'] },
        { id: 'c', title: 'C', dependsOn: ['a'] },
      ]);

    expect(circle).toThrow('Tasks would wait for each other: a -> b -> c -> a');
    expect(() => board.update('x', { dependsOn: ['y'] })).toThrow('x -> y -> x');
    expect(() => board.create({ title: 'Z', dependsOn: ['nowhere'] })).toThrow(
      'The board has no task nowhere',
    );
    expect(bus.state.list('task.*').map(({ key }) => key)).toEqual(['task.x', 'task.y']);
  });

  // Doc3: messages with task link, on_task_assigned
  it('links what is said about a task to it, and tells what happens', async () => {
    const { bus, board, settle } = makeBoard(env);
    const log: string[] = [];
    const hear = ({ topic, headers, payload }: Message) =>
      log.push(`${topic} ${headers['taskId']} ${(payload as Partial<Task>)?.status}`);
    bus.subscribe('task.*.*', hear);
    bus.subscribe('note', hear);
    board.work(bus.register('writer'), (_task, context) => {
      context.publish('note', null);
      context.progress('half');
    });

    board.create({ id: 'a', title: 'A' });
    await settle();

    expect(log.toSorted()).toEqual([
      'note a undefined',
      'task.a.assigned a working',
      'task.a.completed a completed',
      'task.a.created a submitted',
      'task.a.progress a working',
    ]);
  });

  it('asks a person, and goes on with the answer', async () => {
    const { bus, board, settle } = makeBoard(env);
    board.work(bus.register('writer'), async (_task, context) => {
      const colour = await context.requestInput('Which colour?');
      const size = await context.requestInput({ how: 'big?' });
      return { colour, size };
    });
    const { id } = board.create({ title: 'Paint' });
    await settle();
    expect(board.get(id)).toMatchObject({ status: 'input-required', question: 'Which colour?' });

    board.provideInput(id, 'blue');
    await settle();
    board.provideInput(id, 7);
    await settle();

    expect(board.get(id)).toMatchObject({
      status: 'completed',
      result: { colour: 'blue', size: 7 },
      answers: [
        { question: 'Which colour?', answer: 'blue' },
        { question: { how: 'big?' }, answer: 7 },
      ],
    });
    expect(board.get(id)).not.toHaveProperty('question');
    expect(() => board.provideInput(id, 1)).toThrow('is completed');
  });

  // F:H6
  it('hands a task to another when its agent leaves', async () => {
    const { bus, board, settle } = makeBoard(env);
    const ann = bus.register('ann');
    board.work(ann, never);
    const { id } = board.create({ title: 'A' });
    await settle();
    expect(board.get(id)?.assignee).toBe('ann');

    const leaving = ann.leave();
    board.work(bus.register('bob'), () => 'done by bob');
    await settle();

    expect(board.get(id)).toMatchObject({
      status: 'completed',
      result: 'done by bob',
      attempt: 2,
      token: 2,
      lostBy: 'ann',
    });
    void leaving;
  });

  it('counts what is where, and who does what', async () => {
    const { bus, board, settle } = makeBoard(env);
    board.work(bus.register('ann'), never);
    board.createAll([
      { id: 'a', title: 'A', dueAt: 1 },
      { id: 'b', title: 'B' },
      { id: 'c', title: 'C', dependsOn: ['b'] },
    ]);
    board.cancel('b', 'nobody needs it');
    await settle();

    expect(board.summary()).toMatchObject({
      total: 3,
      byStatus: { working: 1, canceled: 2, submitted: 0, completed: 0 },
      blocked: 0,
      overdue: 1,
      workers: [{ agent: 'ann', working: 1, tasks: ['a'], concurrency: 1 }],
    });
  });
});

describe('a lease', () => {
  // R:L4 F:H6
  it('takes a task from an agent that is silent, and refuses what comes from it later', async () => {
    const { t, bus, board } = makeTestBoard({ leaseMs: 1_000 });
    let finish: (value: unknown) => void = () => {};
    const caught: unknown[] = [];
    board.work(bus.register('slow'), async (_task, context) => {
      await new Promise((resolve) => {
        finish = resolve;
      });
      try {
        context.publish('note', {});
      } catch (error) {
        caught.push((error as { code: string }).code);
      }
      caught.push(context.signal.aborted);
      return 'too late';
    });
    const { id } = board.create({ title: 'A' });
    await t.settle();
    const quick = bus.register('quick');
    board.work(quick, async () => {
      await t.external(new Promise((resolve) => setImmediate(resolve)), 'thinking');
      return 'in time';
    });

    await t.clock.advance(999);
    expect(board.get(id)).toMatchObject({ assignee: 'slow', token: 1 });
    await t.clock.advance(1);
    finish(undefined);
    await t.settle();

    expect(board.get(id)).toMatchObject({ result: 'in time', token: 2, attempt: 2 });
    expect(caught).toEqual(['TELLASK_TASK_FENCED', true]);
    await t.clock.advance(5_000);
    await t.close();
  });

  it('begins anew with progress', async () => {
    const { t, bus, board } = makeTestBoard({ leaseMs: 1_000 });
    let go: (update?: unknown) => void = () => {};
    board.work(bus.register('slow'), (_task, context) => {
      go = (update) => context.progress(update);
      return never();
    });
    const { id } = board.create({ title: 'A' });
    await t.clock.advance(900);
    go({ done: 0.5 });
    await t.clock.advance(900);
    go();
    await t.clock.advance(900);

    expect(board.get(id)).toMatchObject({ status: 'working', attempt: 1, progress: { done: 0.5 } });
    await t.clock.advance(100);
    expect(board.get(id)?.attempt).toBe(2);
  });

  it('is the end of a task that was lost too often', async () => {
    const { t, bus, board } = makeTestBoard({ leaseMs: 1_000, maxAttempts: 2 });
    board.work(bus.register('hangs', { concurrency: 4 }), never);
    const { id } = board.create({ title: 'A' });

    await t.clock.advance(2_000);

    expect(board.get(id)).toMatchObject({
      status: 'failed',
      attempt: 2,
      reason: 'the lease of hangs was over, and it was its last attempt',
    });
  });

  it('stands still while a person is asked', async () => {
    const { t, bus, board } = makeTestBoard({ leaseMs: 1_000 });
    board.work(bus.register('asks'), async (_task, { requestInput }) => requestInput('Well?'));
    board.work(bus.register('asks-too'), (_task, context) => context.requestInput('Well?'));
    const { id } = board.create({ title: 'A', requirements: {} });
    await t.clock.advance(3_600_000);
    expect(board.get(id)).toMatchObject({ status: 'input-required', attempt: 1 });
    board.provideInput(id, 'Well.');
    await t.settle();

    expect(board.get(id)).toMatchObject({ status: 'completed', result: 'Well.' });
  });
});
