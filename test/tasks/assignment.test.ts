import { describe, expect, it } from 'vitest';
import {
  AgentRegistry,
  roundRobin,
  type Task,
  TaskBoard,
  type TaskBoardOptions,
} from '../../src/agents.ts';
import { RejectedError, StateManager } from '../../src/index.ts';
import { createTestBus, type TestBus } from '../../src/testing.ts';

function makeBoard(options: TaskBoardOptions = {}) {
  const t = createTestBus({ state: new StateManager(), unheard: 'count' });
  const board = new TaskBoard(t.bus, options);
  /** An agent that works for the board until it is told to finish. */
  const worker = (name: string, work: Parameters<typeof board.work>[2] = {}) => {
    const open: (() => void)[] = [];
    const done: string[] = [];
    board.work(
      t.bus.register(name, { concurrency: 10 }),
      async ({ id }) => {
        await new Promise<void>((resolve) => {
          open.push(resolve);
        });
        done.push(id);
        return name;
      },
      { concurrency: 1, ...work },
    );
    return { done, finish: () => open.shift()?.() };
  };
  return { t, bus: t.bus, board, worker };
}

/** Creates so many tasks and lets them be handed out. */
async function createMany(
  { t, board }: ReturnType<typeof makeBoard>,
  count: number,
  some: Partial<Task> = {},
): Promise<(string | undefined)[]> {
  const ids = Array.from({ length: count }, (_, n) => `t${n}`);
  board.createAll(ids.map((id) => ({ id, title: id, ...some }) as never));
  await t.settle();
  return ids.map((id) => board.get(id)?.assignee);
}

// F:H5, second table: capability matching, load balancing
describe('a task goes', () => {
  it('to the free agent with the least load, in turn between equals', async () => {
    const made = makeBoard();
    made.worker('ann', { concurrency: 4 });
    made.worker('bob', { concurrency: 2 });

    const assignees = await createMany(made, 6);

    // 0 0 | 1/4 0 | 1/4 1/2 | 2/4 1/2, ann had hers longer ago? no: bob had; then ann 2/4 and bob 2/2
    expect(assignees.filter((name) => name === 'ann')).toHaveLength(4);
    expect(assignees.slice(0, 3)).toEqual(['ann', 'bob', 'ann']);
  });

  it('to nobody who lacks the capability or one of the tags', async () => {
    const made = makeBoard();
    made.worker('ann', { capabilities: ['write'] });
    made.worker('bob', { capabilities: ['write'], tags: ['german'] });
    made.worker('cid', { capabilities: ['read'], tags: ['german', 'fast'] });

    const requirements = { capability: 'write', tags: ['german'] };
    const assignees = await createMany(made, 2, { requirements });

    expect(assignees).toEqual(['bob', undefined]);
    expect(made.board.get('t1')?.status).toBe('submitted');
  });

  it('to the same agent for the same key, also when another is free', async () => {
    const made = makeBoard({ assign: 'sticky' });
    const workers = new Map(['ann', 'bob', 'cid'].map((name) => [name, made.worker(name)]));
    const [first] = await createMany(made, 3, { key: 'user-7' });
    const holder = workers.get(first as string);

    for (let n = 0; n < 3; n++) {
      holder?.finish();
      await made.t.settle();
    }

    expect(holder?.done).toEqual(['t0', 't1', 't2']);
  });

  it('to the one with the highest score, and to nobody without one', async () => {
    const made = makeBoard({
      assign: {
        score: (task, { agent, capabilities }) =>
          agent === 'ann' ? undefined : capabilities.length + (task.title === 't1' ? 0 : 0.5),
      },
    });
    made.worker('ann', { capabilities: ['a', 'b', 'c'] });
    made.worker('bob', { capabilities: ['a'] });
    made.worker('cid', { capabilities: ['a', 'b'] });

    expect(await createMany(made, 3)).toEqual(['cid', 'bob', undefined]);
  });

  it('to whom a strategy of requests chooses', async () => {
    const made = makeBoard({ assign: roundRobin() });
    for (const name of ['ann', 'bob']) made.worker(name, { concurrency: 2 });

    expect(await createMany(made, 4)).toEqual(['ann', 'bob', 'ann', 'bob']);
  });

  it('to the lowest bid; who bids nothing is not asked to do it', async () => {
    const made = makeBoard({ assign: { bids: {} } });
    const asked: string[] = [];
    const bid = (name: string, price: number | undefined) => (task: Task) => {
      asked.push(`${name} ${task.id}`);
      return price;
    };
    made.worker('ann', { bid: bid('ann', 9) });
    made.worker('bob', { bid: bid('bob', 4) });
    made.worker('cid', { bid: bid('cid', undefined) });
    made.worker('dan');

    expect(await createMany(made, 1)).toEqual(['bob']);
    expect(asked.toSorted()).toEqual(['ann t0', 'bob t0', 'cid t0']);
  });

  it('to nobody, and is rejected, when nobody has made a bid in three rounds', async () => {
    const made = makeBoard({ assign: { bids: { everyMs: 500 } } });
    let asked = 0;
    made.worker('ann', {
      bid: () => {
        asked += 1;
        return undefined;
      },
    });

    await createMany(made, 1);
    await made.t.clock.advance(1_000);

    expect(made.board.get('t0')).toMatchObject({
      status: 'rejected',
      reason: 'nobody has made a bid',
    });
    expect(asked).toBe(3);
  });

  it('waits for a bidder who is free', async () => {
    const made = makeBoard({ assign: { bids: {} } });
    const ann = made.worker('ann', { bid: () => 1 });

    expect(await createMany(made, 2)).toEqual(['ann', undefined]);
    ann.finish();
    await made.t.settle();
    expect(made.board.get('t1')?.assignee).toBe('ann');
  });

  it('to another when it was declined, and is rejected when all have', async () => {
    const { t, bus, board } = makeBoard();
    const log: string[] = [];
    for (const name of ['ann', 'bob', 'cid']) {
      board.work(bus.register(name), () => {
        log.push(name);
        if (name !== 'cid') throw new RejectedError('not mine');
        return 'mine';
      });
    }

    board.create({ id: 'a', title: 'A' });
    await t.settle();
    expect([log, board.get('a')?.status]).toEqual([['ann', 'bob', 'cid'], 'completed']);

    await bus.agents().length;
    board.create({ id: 'b', title: 'B', requirements: {}, maxAttempts: 2 });
    await t.settle();
    expect(board.get('b')?.status).toBe('rejected');
  });

  it('to the agent that it was assigned to, and to anybody once that one has left', async () => {
    const made = makeBoard();
    const ann = made.worker('ann');
    made.worker('bob');
    made.board.create({ id: 'a', title: 'A' });
    made.board.create({ id: 'b', title: 'B' });
    made.board.assign('a', 'bob');
    made.board.assign('b', 'bob');
    await made.t.settle();
    expect(made.board.get('a')?.assignee).toBe('bob');
    expect(made.board.get('b')?.status).toBe('submitted');

    await createMany(made, 1);
    expect(made.board.get('t0')?.assignee).toBe('ann');
    ann.finish();
    await made.t.settle();
    expect(made.board.get('b')?.status).toBe('submitted');

    const bob = made.bus.agents({ name: 'bob' });
    expect(bob).toHaveLength(1);
    expect(() => made.board.assign('b', 'nobody')).toThrow('nobody does not work for the board');
  });

  it('to nobody who is paused or unhealthy, until that is over', async () => {
    const { t, bus, board } = makeBoard();
    const ann = bus.register('ann');
    board.work(ann, () => 'done');
    ann.pause();
    board.create({ id: 'a', title: 'A' });
    await t.settle();
    expect(board.get('a')?.status).toBe('submitted');

    ann.resume();
    await t.settle();
    expect(board.get('a')?.status).toBe('completed');
  });

  it('away from an agent whose probe fails, and to it again when it has recovered', async () => {
    const { t, bus, board } = makeBoard();
    const registry = new AgentRegistry(bus);
    let well = true;
    const begun: string[] = [];
    for (const name of ['ann', 'bob']) {
      board.work(bus.register(name, { concurrency: 3 }), () => {
        begun.push(name);
        return new Promise(() => {});
      });
    }
    const ask = () => {
      if (!well) throw new Error('I am not well');
    };
    const probe = registry.probe('ann', ask, { everyMs: 100, failures: 1, successes: 1 });
    board.create({ id: 'a', title: 'A' });
    await t.settle();
    expect(board.get('a')?.assignee).toBe('ann');

    well = false;
    await t.clock.advance(150);
    expect(board.get('a')).toMatchObject({ assignee: 'bob', attempt: 2, lostBy: 'ann' });
    board.create({ id: 'b', title: 'B' });
    await t.settle();
    expect(board.get('b')?.assignee).toBe('bob');

    well = true;
    await t.clock.advance(150);
    board.create({ id: 'c', title: 'C' });
    await t.settle();
    expect(begun).toEqual(['ann', 'bob', 'bob', 'ann']);
    probe.stop();
  });

  it('to nobody, and the board goes on, when a scorer throws', async () => {
    const faults: unknown[] = [];
    const made = makeBoard({
      assign: {
        score: () => {
          throw new Error('no score');
        },
      },
      onFault: (error) => faults.push(error),
    });
    made.worker('ann');

    expect(await createMany(made, 1)).toEqual([undefined]);
    expect(faults).toMatchObject([{ message: 'no score' }]);
  });
});

// F:H7, Doc0: task delegation
describe('delegate', () => {
  it('says who does it and how long it will take, once that was measured', async () => {
    const { t, bus, board } = makeBoard();
    board.work(bus.register('ann', { capabilities: ['write'] }), async (_task, context) => {
      await context.request('wait', {});
    });
    bus.register('clock', { concurrency: 9 }).serve('wait', () => later(t, 200));
    const requirements = { capability: 'write' };

    const first = await board.delegate({ id: 'a', title: 'A', requirements });
    expect(first).toMatchObject({ agent: 'ann', estimateMs: undefined });
    await t.clock.advance(200);
    expect(board.get('a')?.status).toBe('completed');

    const second = await board.delegate({ id: 'b', title: 'B', requirements });
    expect(second).toMatchObject({ agent: 'ann', estimateMs: 200 });
    const third = await board.delegate({ id: 'c', title: 'C', requirements });
    expect(third).toMatchObject({ agent: 'ann', estimateMs: 400, task: { assignedTo: 'ann' } });
    await t.clock.advance(400);
    expect(board.get('c')?.status).toBe('completed');
  });

  it('prefers who is free, takes a strategy, and creates nothing when nobody can', async () => {
    const made = makeBoard();
    made.worker('ann', { bid: () => 5 });
    made.worker('bob', { bid: () => 3 });
    await createMany(made, 1);

    expect((await made.board.delegate({ title: 'A' })).agent).toBe('bob');
    const bids = made.board.delegate({ title: 'B' }, { bids: {} });
    await made.t.settle();
    expect((await bids).agent).toBe('bob');
    const nobody = made.board.delegate({ id: 'n', title: 'N', requirements: { tags: ['x'] } });
    await expect(nobody).rejects.toMatchObject({ code: 'TELLASK_TASK_NO_AGENT' });
    expect(made.board.get('n')).toBeUndefined();
  });
});

/** Answers after so many milliseconds of the test's clock. */
async function later(t: TestBus, ms: number): Promise<void> {
  await t.bus.once('$never', { timeoutMs: ms }).catch(() => {});
}
