import { expect, it } from 'vitest';
import { TaskBoard } from '../../src/agents.ts';
import { RestartError, StateManager } from '../../src/index.ts';
import { createTestBus, explore } from '../../src/testing.ts';

// R:L: agents that are restarted at any step, with their tasks and the board's mail in hand.
it('ends every task of an agent that is restarted at any step', async () => {
  await explore(
    async (t) => {
      const faults: unknown[] = [];
      const onFault = (error: unknown): void => void faults.push(error);
      const board = new TaskBoard(t.bus, { leaseMs: 1_000, maxAttempts: 5, onFault });
      const ann = t.bus.register('ann', {
        start(agent) {
          board.work(agent, async ({ id }, { attempt, token }) => {
            await undefined;
            if (id === 'hot' && attempt === 1) throw new RestartError('too hot');
            return token;
          });
        },
        restart: { maxRestarts: 9, withinMs: 60_000 },
        onEscalate: ({ error }) => faults.push(error),
      });
      t.bus.subscribe('go', () => void ann.restart('it was told to'));
      t.bus.publish('go', 1);
      board.createAll(['a', 'hot', 'b'].map((id) => ({ id, title: id })));
      await t.clock.advance(30_000);

      expect(faults).toEqual([]);
      const ended = board.list({ status: ['completed', 'failed'] });
      expect(ended).toHaveLength(3);
      const completed = board.list({ status: 'completed' }).length;
      expect(board.summary().workers).toMatchObject([{ tasks: [], completed }]);
      board.close();
    },
    {
      seeds: 30,
      unheard: 'count',
      leaks: 'allow',
      unexpectedLetters: 'allow',
      setup: () => ({ state: new StateManager() }),
    },
  );
});

it('hands nothing to an agent whose handle for the board was revoked', async () => {
  const t = createTestBus({ unheard: 'count', state: new StateManager() });
  const board = new TaskBoard(t.bus, { leaseMs: 1_000 });
  const lent = t.bus.register('ann').restrict({ serve: ['task.**'] });
  board.work(lent, () => new Promise(() => {}));
  board.create({ id: 'a', title: 'A' });
  board.create({ id: 'b', title: 'B' });
  await t.settle();

  lent.revoke();
  await t.clock.advance(20_000);

  expect(board.list().map(({ status, attempt }) => [status, attempt])).toEqual([
    ['submitted', 1],
    ['submitted', 0],
  ]);
});
