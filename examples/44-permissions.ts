// 44 Permissions: rules, wildcards that hear what they may, rights that are taken away, an audit.
import { type Agent, MessageBus } from 'tellask';

function makeWriter(agent: Agent) {
  return (topic: string, text: string): void => {
    try {
      agent.publish(topic, text);
    } catch (error) {
      console.log(`  ${(error as Error).message}`);
    }
  };
}

function makeReader(agent: Agent): void {
  agent.subscribe('**', ({ topic, payload }) =>
    console.log(`  ${agent.name}: ${topic}, ${payload}`),
  );
}

const bus = new MessageBus({
  permissions: {
    default: 'deny',
    rules: [
      { effect: 'allow', agents: 'writer', actions: 'publish', on: 'report.**' },
      { effect: 'allow', agents: ['editor', 'guest-*'], actions: 'subscribe' },
      { effect: 'deny', agents: 'guest-*', on: '**.internal' },
    ],
  },
});
bus.events.on('denied', ({ agent, action, target, rule }) => {
  console.log(`  audit: ${agent} tried to ${action} ${target} (rule ${rule ?? 'none'})`);
});

const write = makeWriter(bus.register('writer'));
makeReader(bus.register('editor'));
const guest = bus.register('guest-7');
makeReader(guest);

console.log('Everybody listens to everything, and hears what he may:');
write('report.tea', 'ready');
write('report.tea.internal', 'costs 3');
write('invoice.tea', 'pay 9');
await bus.drain();

console.log('The guest is suspended while a message waits for him:');
guest.pause();
write('report.cake', 'ready');
const lift = bus.permissions.add({ effect: 'deny', agents: 'guest-7' });
const [letter] = bus.deadLetters.list({ reason: 'denied', refused: false });
console.log(`  a dead letter: ${letter?.message.topic} for ${letter?.recipient}`);
console.log(`  ${JSON.stringify(bus.permissions.explain('guest-7', 'subscribe', 'report.cake'))}`);
await bus.drain();

console.log('He is back, and gets what he missed:');
lift();
guest.resume();
await bus.deadLetters.redrive({ recipient: 'guest-7' });
await bus.close();
