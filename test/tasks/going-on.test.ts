import { describe, expect, it } from 'vitest';
import { type Task, TaskBoard, type TaskBoardOptions } from '../../src/agents.ts';
import { defineContract, MemoryStore, MessageBus, StateManager } from '../../src/index.ts';
import { createTestBus, type TestBus } from '../../src/testing.ts';

const never = () => new Promise<never>(() => {});

function makeBoard(options: TaskBoardOptions = {}, state = new StateManager()) {
  const t = createTestBus({ state, unheard: 'count' });
  return { t, bus: t.bus, board: new TaskBoard(t.bus, { leaseMs: 1_000, ...options }) };
}

/** An agent that asks two questions, and notes how often it has begun. */
function asking(t: TestBus, board: TaskBoard, name: string, log: string[]) {
  const agent = t.bus.register(name);
  board.work(agent, async (_task, { requestInput, attempt }) => {
    log.push(`${name} begins ${attempt}`);
    const answers = [await requestInput('One?'), await requestInput('Two?')];
    return answers.join(' ');
  });
  return agent;
}

describe('a person who is asked', () => {
  it('is not asked again what was answered, when the agent that asked has left', async () => {
    const { t, board } = makeBoard();
    const log: string[] = [];
    const ann = asking(t, board, 'ann', log);
    const { id } = board.create({ title: 'A' });
    await t.settle();
    board.provideInput(id, 1);
    await t.settle();

    void ann.leave();
    await t.settle();
    expect(board.get(id)).toMatchObject({ status: 'input-required', question: 'Two?' });
    expect(board.get(id)).not.toHaveProperty('assignee');
    asking(t, board, 'bob', log);
    board.provideInput(id, 2);
    await t.settle();

    expect(board.get(id)).toMatchObject({ status: 'completed', result: '1 2', attempt: 2 });
    expect(log).toEqual(['ann begins 1', 'bob begins 2']);
  });

  it('is asked anew when the question is another', async () => {
    const { t, bus, board } = makeBoard({ retryFailed: true });
    board.work(bus.register('ann'), async (_task, { requestInput, attempt }) => {
      const answer = await requestInput({ attempt });
      if (attempt === 1) throw new Error('I have changed my mind');
      return answer;
    });
    const { id } = board.create({ title: 'A' });
    await t.settle();
    board.provideInput(id, 'old');
    await t.settle();
    expect(board.get(id)).toMatchObject({ question: { attempt: 2 }, answers: [] });
    board.provideInput(id, 'new');
    await t.settle();

    expect(board.get(id)?.result).toBe('new');
  });

  it('is asked one thing at a time, and nothing any more when the task is canceled', async () => {
    const { t, bus, board } = makeBoard();
    const log: unknown[] = [];
    board.work(bus.register('ann'), async (_task, { requestInput }) => {
      const codes = [requestInput('One?'), requestInput('Two?')].map((asked) =>
        asked.catch((error) => log.push(error.code)),
      );
      await Promise.all(codes);
    });
    const { id } = board.create({ title: 'A' });
    await t.settle();
    board.cancel(id, 'enough');
    await t.settle();

    expect(log).toEqual(['TELLASK_TASK_STATE', 'TELLASK_TASK_FENCED']);
    expect(board.get(id)).toMatchObject({ status: 'canceled', reason: 'enough' });
  });
});

describe('a board made anew', () => {
  // R:L4: the board's data lives in the state
  it('goes on where the last one was, from a store', async () => {
    const store = new MemoryStore();
    const first = await StateManager.open({ store });
    const bus = new MessageBus({ state: first });
    const board = new TaskBoard(bus);
    board.work(bus.register('ann', { capabilities: ['a'] }), never);
    board.createAll([
      { id: 'a', title: 'A', requirements: { capability: 'a' } },
      { id: 'b', title: 'B', dependsOn: ['a'], requirements: { capability: 'b' } },
    ]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(board.get('a')?.status).toBe('working');
    await bus.close({ mode: 'abort', timeoutMs: 0 });
    expect(first.get('task.a')?.value).toMatchObject({ status: 'submitted', attempt: 0 });
    await first.close();

    const later = new MessageBus({ state: await StateManager.open({ store }) });
    const again = new TaskBoard(later);
    for (const capability of ['a', 'b']) {
      again.work(later.register(capability, { capabilities: [capability] }), ({ id }) => id);
    }

    expect(await again.ended('b')).toMatchObject({ result: 'b', order: 2 });
    expect(again.get('a')).toMatchObject({ result: 'a', token: 2, attempt: 1 });
    expect(again.create({ title: 'C' }).order).toBe(3);
    await later.close();
  });

  it('waits for the lease of whoever a lost board had given a task to', async () => {
    const lost = makeBoard();
    lost.board.work(lost.bus.register('ann'), never);
    lost.board.create({ id: 'a', title: 'A' });
    await lost.t.clock.advance(100);
    const snapshot = lost.bus.state.snapshot();

    const state = new StateManager();
    const { t, bus } = makeBoard({}, state);
    state.restore(snapshot);
    const board = new TaskBoard(bus, { prefix: 'task', leaseMs: 1_000 });
    board.work(bus.register('bob'), () => 'by bob');
    await t.clock.advance(900);
    expect(board.get('a')).toMatchObject({ status: 'working', assignee: 'ann' });
    await t.clock.advance(100);

    expect(board.get('a')).toMatchObject({ result: 'by bob', token: 2, attempt: 2 });
  });
});

describe('what another hand writes', () => {
  it('counts: a restored snapshot is gone on with, and who worked is fenced', async () => {
    const { t, bus, board } = makeBoard();
    const log: string[] = [];
    board.work(bus.register('ann'), async (task, context) => {
      log.push(`begins ${task.token}`);
      if (log.length > 1) return 'second';
      await new Promise<void>((resolve) => {
        context.signal.addEventListener('abort', () => resolve());
      });
      log.push((context.signal.reason as { code: string }).code);
      return 'first';
    });
    board.create({ id: 'a', title: 'A' });
    const snapshot = bus.state.snapshot('task.*');
    await t.settle();
    expect(board.get('a')?.status).toBe('working');

    bus.state.restore(snapshot);
    await t.settle();

    expect(board.get('a')).toMatchObject({ status: 'completed', result: 'second' });
    expect(log).toEqual(['begins 1', 'TELLASK_TASK_FENCED', 'begins 1']);
  });

  it('ends a run when the task is deleted or ended by hand', async () => {
    const { t, bus, board } = makeBoard();
    let aborted = 0;
    board.work(
      bus.register('ann', { concurrency: 2 }),
      (_task, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted += 1;
            resolve(undefined);
          });
        }),
    );
    board.createAll([
      { id: 'a', title: 'A' },
      { id: 'b', title: 'B' },
      { id: 'c', title: 'C', dependsOn: ['b'] },
    ]);
    await t.settle();

    bus.state.delete('task.a');
    bus.state.update('task.b', (task) => ({ ...(task as Task), status: 'completed' as const }));
    await t.settle();

    expect(aborted).toBe(2);
    expect(board.get('c')?.status).toBe('working');
    await t.clock.advance(5_000);
  });

  it('is nothing that an agent can answer in the place of the board', async () => {
    const { t, bus, board } = makeBoard();
    board.work(bus.register('ann', { concurrency: 2 }), never);
    const mallory = bus.register('mallory');
    const task = board.create({ id: 'a', title: 'A' });
    await t.settle();

    const forged = [task, board.get('a'), { id: 'x' }, null].map((payload) =>
      mallory.request('task.work', payload).catch((error: { code: string }) => error.code),
    );
    await t.settle();

    expect(await Promise.all(forged)).toEqual(Array(4).fill('TELLASK_TASK_FENCED'));
    expect(board.get('a')).toMatchObject({ status: 'working', attempt: 1 });
  });
});

describe('a board', () => {
  it('lets a task be changed, ended by hand and removed', async () => {
    const { t, bus, board } = makeBoard();
    board.create({ id: 'a', title: 'A' });
    board.create({ id: 'b', title: 'B', dependsOn: ['a'] });
    board.update('a', { title: 'AA', priority: 'high', dueAt: 7, requirements: { tags: ['x'] } });
    expect(board.list().map(({ title, priority }) => [title, priority])).toEqual([
      ['AA', 8],
      ['B', 5],
    ]);
    expect(() => board.complete('a', 1)).toThrow('Task a is submitted');
    expect(() => board.remove('a')).toThrow('Task a is submitted');

    board.fail('a', new Error('by hand'));
    expect(board.get('a')?.error?.message).toBe('by hand');
    expect(board.get('b')?.status).toBe('canceled');
    board.remove('a');
    expect(board.get('a')).toBeUndefined();

    board.work(bus.register('ann'), never);
    const { id } = board.create({ title: 'C' });
    await t.settle();
    board.complete(id, { by: 'hand' });
    expect(board.get(id)).toMatchObject({ status: 'completed', result: { by: 'hand' } });
    expect(() => board.update(id, { title: 'D' })).toThrow('is completed');
    expect(board.list({ status: ['completed', 'failed'] }).map((task) => task.id)).toEqual([id]);
  });

  it('begins what waits for a failed task when that is taken off its dependencies', async () => {
    const { t, bus, board } = makeBoard();
    board.work(bus.register('ann'), ({ id }) => id);
    board.create({ id: 'a', title: 'A' });
    board.create({ id: 'b', title: 'B', dependsOn: ['a'], onDependencyFailure: 'wait' });
    board.cancel('a');
    await t.settle();
    expect([board.get('b')?.status, board.summary().blocked]).toEqual(['submitted', 1]);

    board.update('b', { dependsOn: [] });
    await t.settle();

    expect(board.get('b')?.result).toBe('b');
  });

  it('is watched, and leaves nothing behind when it is closed', async () => {
    const { t, bus, board } = makeBoard();
    const watch = board.watch({ where: ({ status }) => status === 'working' });
    board.work(bus.register('ann'), never);
    board.create({ id: 'a', title: 'A' });
    const seen = watch.next();
    await t.settle();
    expect((await seen).value).toMatchObject({ id: 'a', assignee: 'ann' });
    await watch.return?.();
    const waits = board.ended('a').catch((error) => error.code);

    board.close();
    await t.settle();

    expect(board.get('a')).toMatchObject({ status: 'submitted', attempt: 0 });
    expect(bus.explain('task.work').candidates).toEqual([]);
    expect(await waits).toBe('TELLASK_CLOSED');
    expect(() => board.create({ title: 'B' })).toThrow('The board is closed');
    await t.clock.advance(2_000);
    await t.close();
  });

  it('holds no timer while nobody works', async () => {
    const { t, bus, board } = makeBoard();
    board.work(bus.register('ann'), () => {});
    board.create({ title: 'A' });
    board.create({ title: 'B', requirements: { capability: 'nobody has it' } });
    await t.settle();

    const before = t.clock.nowMs;
    await t.run();
    expect(t.clock.nowMs).toBe(before);
  });

  it('goes on after a drain, and counts no attempt for it', async () => {
    const { t, bus, board } = makeBoard();
    board.work(bus.register('ann'), () => 'done');
    bus
      .register('slow')
      .subscribe('work', () => bus.once('never', { timeoutMs: 50 }).catch(() => {}));
    bus.publish('work', {});
    await t.settle();
    const drained = bus.drain();
    board.create({ id: 'a', title: 'A' });
    await t.settle();
    expect(board.get('a')).toMatchObject({ status: 'submitted', attempt: 0 });

    await t.clock.advance(200);
    await drained;

    expect(board.get('a')).toMatchObject({ status: 'completed', attempt: 1 });
  });

  it('tells who reads a drawing what waits for what', () => {
    const { board } = makeBoard();
    board.create({ id: 'a', title: 'Draft "it"' });
    board.create({ id: 'b', title: 'Review', dependsOn: ['a'], onDependencyFailure: 'run' });
    board.create({ id: 'c', title: 'Publish', dependsOn: ['b', 'a'] });
    board.cancel('a');

    expect(board.toMermaid()).toBe(`flowchart TD
  t1["Draft #34;it#34;, canceled"]
  t2["Review, submitted"]
  t3["Publish, canceled"]
  t1 -.-> t2
  t2 --> t3
  t1 --> t3
  classDef good stroke:#2a8c4a,stroke-width:2px
  classDef bad stroke:#c62f2f,stroke-width:2px
  classDef busy stroke:#2a5c9c,stroke-width:2px
  classDef asks stroke:#b07a00,stroke-width:2px
  classDef off stroke-dasharray:4
  class t1 off
  class t3 off
`);
  });

  it('works with a contract that names its topics and keys', async () => {
    const contract = defineContract({
      topics: { 'task.{id}.{event}': anything },
      requests: { 'task.work': { input: anything, output: anything } },
      state: { 'task.{id}': anything },
    });
    const t = createTestBus({ contract, state: new StateManager({ contract }) });
    const board = new TaskBoard(t.bus);
    const heard: string[] = [];
    t.bus.subscribe('task.*.completed', ({ params }) => void heard.push(params.id));
    board.work(t.bus.register('ann'), () => 1);
    board.create({ id: 'a', title: 'A' });
    await t.settle();

    expect([board.get('a')?.result, heard]).toEqual([1, ['a']]);
  });

  it.each<[string, () => unknown, string]>([
    ['no state', () => new TaskBoard(new MessageBus()), 'state'],
    ['an option', () => makeBoard({ lease: 1 } as never), 'TaskBoard has no option lease'],
    ['a lease', () => makeBoard({ leaseMs: 0 }), 'leaseMs must be'],
    ['a prefix', () => makeBoard({ prefix: 'a.b' }), 'prefix must be one segment'],
    ['a strategy', () => makeBoard({ assign: 'best' as never }), 'assign must be'],
    ['a title', () => makeBoard().board.create({ title: '' }), 'title must be'],
    ['an id', () => makeBoard().board.create({ id: 'a.b', title: 'A' }), 'id must be'],
    ['a priority', () => makeBoard().board.create({ title: 'A', priority: 11 }), 'priority'],
    [
      'a policy',
      () => makeBoard().board.create({ title: 'A', onDependencyFailure: 'x' as never }),
      'skip',
    ],
    ['an input', () => makeBoard().board.create({ title: 'A', input: () => {} }), 'task.'],
    ['a filter', () => makeBoard().board.list({ state: 'x' } as never), 'list has no option state'],
    ['a task', () => makeBoard().board.cancel('x'), 'The board has no task x'],
  ])('refuses what makes no sense: %s', (_name, call, message) => {
    expect(call).toThrow(message);
  });
});

const anything = {
  '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
} as const;
