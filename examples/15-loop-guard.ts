// 15 Loop guard: three polite agents keep thanking each other; the bus stops them and names them.
import { type Agent, type GuardNotice, isTellaskError, MessageBus } from 'tellask';

function makePolite(agent: Agent, friend: string): { readonly thanked: () => number } {
  let thanked = 0;
  agent.subscribe('thanks', (_message, context) => {
    thanked++;
    context.send(friend, 'thanks', 'No, thank you!');
  });
  return { thanked: () => thanked };
}

// Hands out many tasks on one topic to one worker: that is a fan-out, and no loop.
function makePlanner(agent: Agent): void {
  agent.subscribe('goal', (_message, context) => {
    for (let n = 1; n <= 300; n++) context.send('worker', 'task', n);
  });
}

// Two who wait for each other would wait for ever: the second request is refused at once.
function makeStubborn(agent: Agent, other: string): void {
  agent.serve(`after.${agent.name}`, (_request, context) => context.request(`after.${other}`, {}));
}

const bus = new MessageBus();
bus.subscribe('$bus.guard.*', ({ topic, payload }) => {
  console.log(topic, (payload as GuardNotice).path);
});

const ann = makePolite(bus.register('ann'), 'bob');
makePolite(bus.register('bob'), 'cat');
makePolite(bus.register('cat'), 'ann');
bus.send('ann', 'thanks', 'Thank you!');
await bus.drain();
console.log(`ann was thanked ${ann.thanked()} times`);
const [letter] = bus.deadLetters.list({ reason: 'loop' });
console.log(letter?.reason, letter?.message.from, '->', letter?.recipient, letter?.error?.code);

let done = 0;
makePlanner(bus.register('planner'));
bus.register('worker').subscribe('task', () => void done++);
bus.send('planner', 'goal', 'a book');
await bus.drain();
console.log(`${done} tasks done`);

makeStubborn(bus.register('dan'), 'eve');
makeStubborn(bus.register('eve'), 'dan');
await bus.request('after.dan', {}).catch((error: unknown) => {
  if (isTellaskError(error)) console.log(error.code, error.message);
});
await bus.close();
