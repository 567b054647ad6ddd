// 13 Handoff: whoever is asked lets another answer, and stays out of the way.
import { type Agent, MessageBus } from 'tellask';

function makeFrontDesk(agent: Agent): void {
  agent.serve('question', (request, context) => {
    const question = String(request.payload);
    if (question.startsWith('where')) return 'third door on the left';
    // The other gets the same question, with the time that is left, in the same conversation.
    const field = question.includes('tax') ? 'tax' : 'law';
    return context.forward({ capability: field });
  });
}

function makeExpert(agent: Agent): void {
  agent.serve('question', async function* (request) {
    yield `${agent.name} reads "${request.payload}", which ${request.from} handed over`;
    yield `${agent.name} thinks`;
    return `${agent.name}: it depends`;
  });
}

const bus = new MessageBus();
makeFrontDesk(bus.register('front-desk'));
makeExpert(bus.register('tina', { capabilities: ['tax'] }));

const to = 'front-desk';
console.log(await bus.request('question', 'where do I pay?', { to }));
console.log(await bus.request('question', 'is tea a tax matter?', { to }));

// Chunks reach the one who asked as if there were nobody between.
const stream = bus.stream('question', 'how is tax paid?', { to });
for await (const chunk of stream) console.log(`- ${chunk}`);
console.log(await stream.result);

// When there is nobody to hand it to, the asker is told so.
await bus.request('question', 'is this legal?', { to }).catch((error: Error) => {
  console.log(`${error.name}: ${error.message}`);
});

// A whole conversation can be ended from outside, wherever it is.
bus.register('lea', { capabilities: ['law'] }).serve('question', () => new Promise(() => {}));
const asked = bus.request('question', 'is it fair?', { to, correlationId: 'fairness' });
await new Promise((resolve) => setTimeout(resolve, 10));
const talk = bus.conversation('fairness');
for (const { from, recipient, status } of talk.deliveries) {
  console.log(`${from} asked ${recipient}: ${status}`);
}
console.log(`ended: ${talk.cancel('closing time')}`);
await asked.catch((error: Error) => console.log(`${error.message}, because of ${error.cause}`));

await bus.close({ mode: 'abort' });
