// 08 Pulling: an agent that asks for its next message instead of being called.
import { type Agent, MessageBus } from 'tellask';

// `receive` takes one message that no handler took, or nothing when the time is over.
async function workThroughInbox(agent: Agent): Promise<void> {
  for (;;) {
    const message = await agent.receive({ timeoutMs: 20 });
    if (message === undefined) break;
    console.log(`${agent.name} received ${message.topic} ${message.payload}`);
  }
  console.log('the inbox is empty');
}

// With `where` it takes the first that fits, and the others keep their places.
async function signFirst(agent: Agent): Promise<void> {
  const form = await agent.receive({ where: ({ topic }) => topic === 'form.sign', timeoutMs: 20 });
  console.log(`${agent.name} signs ${form?.payload} before anything else`);
}

// `messages` is a subscription to iterate: attached at once, and each message is handled when the
// next one is asked for. Leaving the loop ends the subscription.
async function readThree(agent: Agent): Promise<void> {
  let read = 0;
  for await (const message of agent.messages('news.*')) {
    console.log(`${agent.name} read ${message.topic}`);
    if (++read === 3) break;
  }
}

const bus = new MessageBus();

const clerk = bus.register('clerk');
bus.send('clerk', 'form.sign', 'A38');
bus.send('clerk', 'form.file', 'B12', { priority: 'high' });
bus.send('clerk', 'form.sign', 'A39');
await signFirst(clerk);
await workThroughInbox(clerk);

const reader = readThree(bus.register('reader'));
for (const topic of ['news.one', 'news.two', 'news.three', 'news.four']) bus.publish(topic, {});
await reader;
console.log('heard by', bus.publish('news.five', {}).recipients.length);

// The host can wait for a single message.
const soon = bus.once('alarm.*', { timeoutMs: 1_000 });
bus.publish('alarm.fire', { floor: 3 });
const alarm = await soon;
console.log('once', alarm.topic, alarm.payload);

await bus.close();
