// 47 A blackboard: nobody is told what to do. Each watches the board, and adds what he knows as soon
// as what he needs is there, until the problem is solved.
import { type Agent, MessageBus, StateManager } from 'tellask';

type Board = Readonly<Record<string, unknown>>;

/** Somebody who knows how to get from some entries of the board to another one. */
interface Source {
  readonly needs: readonly string[];
  readonly adds: string;
  work(board: Board): unknown;
}

const SOURCES: Readonly<Record<string, Source>> = {
  planner: {
    needs: ['price', 'guests'],
    adds: 'plan',
    work: ({ price, guests }) => `${guests} cups for ${Number(price) * Number(guests)} euros`,
  },
  merchant: { needs: ['drink'], adds: 'price', work: ({ drink }) => (drink === 'tea' ? 3 : 2) },
  host: { needs: ['problem'], adds: 'guests', work: () => 4 },
  cook: { needs: ['problem'], adds: 'drink', work: () => 'tea' },
  // Would change what somebody has written already.
  guest: { needs: ['drink'], adds: 'drink', work: () => 'milk' },
};

const bus = new MessageBus({ state: new StateManager() });
const solved = new AbortController();

async function contribute(agent: Agent, { needs, adds, work }: Source): Promise<void> {
  const read = (): Board =>
    Object.fromEntries(
      agent.state.list('board.*').map(({ key, value }) => [key.slice('board.'.length), value]),
    );
  // From the first change on: who comes late misses nothing.
  for await (const _ of agent.state.watch('board.*', { fromRevision: 0, signal: solved.signal })) {
    const board = read();
    if (!needs.every((need) => need in board) || adds in board) continue;
    // Version 0 says that it is not there: of two who know the same, one writes it.
    agent.state.compareAndSet(`board.${adds}`, 0, work(board) as string);
  }
}

const working = Object.entries(SOURCES).map(([name, source]) =>
  contribute(bus.register(name), source).catch((error) => {
    if (!solved.signal.aborted) throw error;
  }),
);

bus.state.create('board.problem', 'a party');
for await (const { key, value, actor } of bus.state.watch('board.*', { fromRevision: 0 })) {
  console.log(`${actor} writes ${key}: ${value}`);
  if (key === 'board.plan') break;
}
solved.abort();
await Promise.all(working);
await bus.close();
