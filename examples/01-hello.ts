// 01 Hello: one agent tells, two listen. No server, no configuration.
import { type Agent, MessageBus } from 'tellask';

// An agent is a function of its handle: it can be tested alone and moved elsewhere unchanged.
function makeReviewer(agent: Agent): void {
  agent.subscribe('report.*.drafted', (message, context) => {
    console.log(`${context.agent} hears ${message.topic} from ${message.from}:`, message.payload);
  });
}

function makeArchivist(agent: Agent): void {
  agent.subscribe('report.**', (message) => {
    console.log(`${agent.name} files ${message.topic}`);
  });
}

function makeWriter(agent: Agent) {
  return {
    draft: (id: string, text: string) => agent.publish(`report.${id}.drafted`, { text }),
  };
}

const bus = new MessageBus();
makeReviewer(bus.register('reviewer'));
makeArchivist(bus.register('archivist'));
const writer = makeWriter(bus.register('writer'));

// The receipt comes at once: the recipients are fixed, and no handler has run yet.
const receipt = writer.draft('7', 'Hello, everybody.');
console.log('told', receipt.recipients);

const { handled, deadLettered } = await receipt.settled;
console.log(`handled by ${handled}, dead letters ${deadLettered.length}`);

await bus.close();
