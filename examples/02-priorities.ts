// 02 Priorities and ageing: the urgent first, and nobody waits for ever.
import { type Agent, MessageBus } from 'tellask';

function makeDesk(agent: Agent, log: string[]): void {
  agent.subscribe('task.*', (message) => {
    log.push(`${message.payload}`);
  });
}

const bus = new MessageBus();

// Priorities are 0 to 10, or low 2, normal 5, high 8, critical 10. Inside one, the oldest is first.
const urgent: string[] = [];
makeDesk(bus.register('desk'), urgent);
bus.send('desk', 'task.file', 'tidy up', { priority: 'low' });
bus.send('desk', 'task.mail', 'answer mail');
bus.send('desk', 'task.call', 'call back');
bus.send('desk', 'task.fire', 'put out the fire', { priority: 'critical' });
await bus.drain();
console.log('by priority:', urgent.join(', '));

// Many urgent messages could keep a humble one waiting. After `ageingLimit` takes that passed over
// the oldest message, the next take is that one.
async function served(name: string, ageingLimit: number): Promise<string> {
  const log: string[] = [];
  makeDesk(bus.register(name, { ageingLimit }), log);
  bus.send(name, 'task.humble', 'humble', { priority: 'low' });
  for (let i = 1; i <= 6; i++) bus.send(name, 'task.urgent', i, { priority: 'high' });
  await bus.drain();
  return log.join(' ');
}

console.log('ageingLimit 3:       ', await served('patient', 3));
console.log('ageingLimit Infinity:', await served('strict', Infinity));

await bus.close();
