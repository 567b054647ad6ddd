// 42 Task board: tasks with dependencies, an agent that leaves in the middle, a person who is asked.
import { type Agent, MessageBus, StateManager } from 'tellask';
import { TaskBoard, type TaskHandler } from 'tellask/agents';

const bus = new MessageBus({ state: new StateManager() });
const board = new TaskBoard(bus, { leaseMs: 30_000 });

// A dashboard follows what happens on ordinary topics; the payload is the task.
bus.subscribe('task.*.{assigned,requeued,completed,canceled}', ({ topic, payload }) => {
  const { title, assignee, reason } = payload as { title: string } & Record<string, unknown>;
  const what = topic.split('.').at(-1);
  console.log([`${title}: ${what}`, assignee, reason].filter(Boolean).join(', '));
});

// Agents are functions of a handle: what the handler returns completes the task.
const makeReader = (agent: Agent, read: TaskHandler) => board.work(agent, read);
function makeEditor(agent: Agent): void {
  board.work(agent, async (_task, { results, requestInput }) => {
    const title = await requestInput(`What is the title of ${Object.keys(results).length} parts?`);
    return `${title}: ${Object.values(results).join(' and ')}`;
  });
}

let annHasBegun = () => {};
const begun = new Promise<void>((resolve) => {
  annHasBegun = resolve;
});
const ann = bus.register('ann', { capabilities: ['read'] });
makeReader(ann, () => {
  annHasBegun();
  return new Promise(() => {}); // reads for ever
});
makeEditor(bus.register('eve', { capabilities: ['edit'] }));
const read = { requirements: { capability: 'read' } };
board.createAll([
  { id: 'one', title: 'Read one', input: 'tea', ...read },
  { id: 'two', title: 'Read two', input: 'cake', ...read, priority: 'low' },
  { id: 'edit', title: 'Edit', requirements: { capability: 'edit' }, dependsOn: ['one', 'two'] },
  { id: 'mail', title: 'Mail', requirements: { capability: 'mail' }, dependsOn: ['edit'] },
]);

await begun;
void ann.leave(); // her task is handed to whoever can do it
makeReader(bus.register('bob', { capabilities: ['read'] }), (task) => `about ${task.input}`);

for await (const { id, question } of board.watch({ status: 'input-required' })) {
  console.log(`A person is asked: ${question}`);
  board.provideInput(id, 'At five');
  break;
}
console.log((await board.ended('edit')).result);
board.cancel('mail', 'nobody reads mail');
await bus.drain();
const { byStatus, workers } = board.summary();
console.log(`${byStatus.completed} completed, ${byStatus.canceled} canceled`);
console.log(workers.map(({ agent, completed }) => `${agent} did ${completed}`).join(', '));
await bus.close();
