import { describe, expect, it } from 'vitest';
import { TaskBoard, type TaskBoardOptions } from '../../src/agents.ts';
import { StateManager } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';

const never = () => new Promise<never>(() => {});

function makeBoard(options: TaskBoardOptions = {}, state = new StateManager()) {
  const t = createTestBus({ state, unheard: 'count' });
  const board = new TaskBoard(t.bus, { leaseMs: 1_000, ...options });
  return { t, bus: t.bus, board, state };
}

describe('a board whose world changes under it', () => {
  it('gives a task to somebody else when who was told to do it has stopped working for the board', async () => {
    const { t, bus, board } = makeBoard();
    const work = board.work(bus.register('ann', { concurrency: 1 }), never);
    board.work(bus.register('bob'), () => 'done');
    board.create({ id: 'first', title: 'A' });
    board.assign('first', 'ann');
    board.create({ id: 'second', title: 'A' });
    board.assign('second', 'ann');
    await t.settle();
    work.unsubscribe();
    await t.settle();
    expect(board.get('second')?.status).toBe('completed');
  });

  it('lets the next life of a supervised agent take the place of the last', async () => {
    const { t, bus, board } = makeBoard({ retryFailed: true });
    let lives = 0;
    const errs: unknown[] = [];
    bus.register('ann', {
      start(agent) {
        lives++;
        board.work(agent, (_task, { attempt }) =>
          attempt === 1 ? agent.restart('x').then(never) : 'ok',
        );
      },
      restart: { maxRestarts: 3, withinMs: 60_000 },
      onEscalate: ({ error }) => errs.push(error),
    });
    board.create({ id: 'a', title: 'A' });
    await t.clock.advance(20_000);
    expect([board.get('a')?.status, lives, errs]).toEqual(['completed', 2, []]);
  });

  it('does not leave a task working for ever when a snapshot takes back its question', async () => {
    const { t, bus, board, state } = makeBoard();
    const snapshots: ReturnType<typeof state.snapshot>[] = [];
    board.work(bus.register('ann'), async (_t, c) => {
      snapshots.push(state.snapshot('task.*'));
      return c.requestInput('?');
    });
    board.create({ id: 'a', title: 'A' });
    await t.settle();
    expect(board.get('a')?.status).toBe('input-required');
    state.restore(snapshots[0] as never);
    await t.settle();
    for (let i = 0; i < 20; i++) {
      await t.clock.advance(5_000);
      if (board.get('a')?.status === 'input-required') board.provideInput('a', 1);
    }
    expect(board.get('a')).toMatchObject({ status: 'completed', result: 1 });
  });
  it('does not answer a second question with what was said to the first, which was restored', async () => {
    const { t, bus, board, state } = makeBoard();
    board.work(bus.register('ann'), async (_t, c) => [
      await c.requestInput('One?'),
      await c.requestInput('Two?'),
    ]);
    board.create({ id: 'a', title: 'A' });
    await t.settle();
    const snap = state.snapshot('task.*');
    board.provideInput('a', 'no');
    await t.settle();
    state.restore(snap);
    await t.settle();
    expect(board.get('a')?.question).toBe('One?');
    board.provideInput('a', 'one');
    await t.settle();
    expect(board.get('a')?.question).toBe('Two?');
    board.provideInput('a', 'two');
    await t.settle();
    expect(board.get('a')?.result).toEqual(['one', 'two']);
  });
  it('asks nobody whose next life does not work for the board', async () => {
    const { t, bus, board } = makeBoard();
    let lives = 0;
    const ann = bus.register('ann', {
      start(agent) {
        if (++lives === 1) board.work(agent, () => 'ann');
      },
      restart: { maxRestarts: 3, withinMs: 60_000 },
    });
    await t.settle();
    void ann.restart('x');
    await t.clock.advance(10);
    board.create({ id: 'a', title: 'A' });
    await t.clock.advance(10_000);
    expect(board.get('a')?.status).toBe('submitted');
    board.work(bus.register('bob'), () => 'bob');
    await t.settle();
    expect(board.get('a')?.result).toBe('bob');
  });
  it('gives a task to who was told to do it while bids were asked', async () => {
    const { t, bus, board } = makeBoard({ assign: { bids: { timeoutMs: 500 } } });
    const hold: Record<string, () => void> = {};
    board.work(bus.register('ann'), (task) => (task.id === 'a' ? 'ann' : never()), {
      concurrency: 1,
      bid: () => 5,
    });
    board.work(bus.register('bob'), () => 'bob', {
      bid: () =>
        new Promise((r) => {
          hold['b'] = () => r(1);
        }),
    });
    board.create({ id: 'busy', title: 'B', requirements: {} });
    board.assign('busy', 'ann');
    await t.settle();
    board.create({ id: 'a', title: 'A' });
    await t.settle();
    board.assign('a', 'ann');
    await t.settle();
    hold['b']?.();
    await t.settle();
    board.cancel('busy');
    await t.clock.advance(5_000);
    expect(board.get('a')?.result).toBe('ann');
  });
  it('gives no task to a bidder who cannot do what it has come to require', async () => {
    const { t, bus, board } = makeBoard({ assign: { bids: { timeoutMs: 500 } } });
    let go = () => {};
    board.work(bus.register('bob'), () => 'bob', {
      bid: () =>
        new Promise((r) => {
          go = () => r(1);
        }),
    });
    board.create({ id: 'a', title: 'A' });
    await t.settle();
    board.update('a', { requirements: { capability: 'fly' } });
    go();
    await t.clock.advance(5_000);
    expect(board.get('a')?.status).toBe('submitted');
  });
  it('begins no task that has come to depend on another while bids were asked', async () => {
    const { t, bus, board } = makeBoard({ assign: { bids: { timeoutMs: 500 } } });
    let go = () => {};
    board.work(bus.register('bob'), () => 'bob', {
      bid: (task) =>
        task.id === 'b'
          ? undefined
          : new Promise((r) => {
              go = () => r(1);
            }),
    });
    board.create({ id: 'b', title: 'B', requirements: { capability: 'fly' } });
    board.create({ id: 'a', title: 'A' });
    await t.settle();
    board.update('a', { dependsOn: ['b'] });
    go();
    await t.clock.advance(5_000);
    expect(board.get('a')?.status).toBe('submitted');
  });
  it('begins no task that has come to depend on another while nobody was free', async () => {
    const { t, bus, board } = makeBoard();
    board.create({ id: 'b', title: 'B', requirements: { capability: 'fly' } });
    board.create({ id: 'a', title: 'A' });
    await t.settle();
    board.update('a', { dependsOn: ['b'] });
    board.work(bus.register('bob'), () => 'bob');
    await t.clock.advance(5_000);
    expect(board.get('a')?.status).toBe('submitted');
  });
  it('creates all of several tasks or none, whatever refuses one', () => {
    const { board } = makeBoard();
    board.create({ id: 'b', title: 'B' });
    expect(() =>
      board.createAll([
        { id: 'a', title: 'A' },
        { id: 'b', title: 'B' },
      ]),
    ).toThrow();
    expect(board.get('a')).toBe(undefined);
    expect(() =>
      board.createAll([
        { id: 'a', title: 'A' },
        { id: 'c', title: 'B', input: () => 1 },
      ]),
    ).toThrow();
    expect(board.get('a')).toBe(undefined);
  });
  it('tells whoever waits for its end that a task was removed by another hand', async () => {
    const { t, board, state } = makeBoard();
    const snap = state.snapshot('task.*');
    board.create({ id: 'a', title: 'A', requirements: { capability: 'x' } });
    let end = 'none';
    board.ended('a').then(
      () => (end = 'ended'),
      () => (end = 'rejected'),
    );
    await t.settle();
    state.restore(snap);
    await t.settle();
    expect(board.get('a')).toBe(undefined);
    expect(end).toBe('rejected');
  });
  it('goes on with what depended on a task that was removed by another hand', async () => {
    const { t, bus, board, state } = makeBoard();
    board.work(bus.register('bob'), () => 'bob');
    board.create({ id: 'a', title: 'A', requirements: { capability: 'x' } });
    board.create({ id: 'b', title: 'A', dependsOn: ['a'] });
    await t.settle();
    state.delete('task.a');
    await t.settle();
    expect(board.get('b')?.status).toBe('completed');
  });
  it('does not reject a task for want of bids while the bus drains', async () => {
    const { t, bus, board } = makeBoard({ assign: { bids: {} } });
    let stop = () => {};
    bus.subscribe(
      'slow',
      () =>
        new Promise<void>((r) => {
          stop = r;
        }),
    );
    bus.publish('slow', 1);
    board.work(bus.register('bob'), () => 'bob', { bid: () => 1 });
    await t.settle();
    const drained = bus.drain({ timeoutMs: 60_000 }).catch(() => {});
    board.create({ id: 'b', title: 'A' });
    await t.clock.advance(10_000);
    stop();
    await t.clock.advance(10_000);
    await drained;
    expect(board.get('b')?.status).toBe('completed');
  });
});
