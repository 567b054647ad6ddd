// 43 Contract net: tasks are offered to all who could do them, and the lowest bid gets each.
import { type Agent, MessageBus, StateManager } from 'tellask';
import { type Task, TaskBoard } from 'tellask/agents';

const bus = new MessageBus({ state: new StateManager() });
const board = new TaskBoard(bus, { assign: { bids: { timeoutMs: 500, rounds: 2, everyMs: 20 } } });

// A printer bids what the pages cost, and more the more it has printed.
function makePrinter(agent: Agent, euros: number, colour: boolean): void {
  let printed = 0;
  const bid = (task: Task): number | undefined => {
    const { pages, inColour } = task.input as { pages: number; inColour: boolean };
    if (inColour && !colour) return undefined; // not for me
    return printed * 0.5 + pages * euros;
  };
  board.work(
    agent,
    (task) => {
      printed += (task.input as { pages: number }).pages;
      return `${agent.name} has printed ${task.title}`;
    },
    { bid },
  );
}
makePrinter(bus.register('laser'), 0.05, false);
const inkjet = bus.register('inkjet');
makePrinter(inkjet, 0.2, true);

async function print(title: string, pages: number, inColour = false): Promise<void> {
  const task = board.create({ title, input: { pages, inColour } });
  const { status, result, reason } = await board.ended(task.id);
  console.log(`${title}: ${status}, ${result ?? reason}`);
}

await print('letter', 2);
await print('poster', 1, true);
await print('essay', 10); // the letter has made the laser dearer, but it is still the cheapest
await print('memo', 1); // now it is not

// When the inkjet has left, nobody bids for what is in colour: after two rounds it is rejected.
await inkjet.leave();
await print('flyer', 1, true);

// To delegate is to know at once who does it, and how long that will take.
const { agent, estimateMs } = await board.delegate({
  title: 'report',
  input: { pages: 3, inColour: false },
});
console.log(`report: ${agent}, estimated: ${typeof estimateMs}`);
await bus.close();
