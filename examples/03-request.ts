// 03 Request and reply: one agent asks, one of those who serve the topic answers.
import { type Agent, isTellaskError, MessageBus } from 'tellask';

function makeCalculator(agent: Agent): void {
  agent.serve('sum', (request) => {
    const numbers = request.payload as readonly number[];
    return { by: agent.name, sum: numbers.reduce((a, b) => a + b, 0) };
  });
  agent.serve('divide', (request) => {
    const [a, b] = request.payload as [number, number];
    if (b === 0) throw new RangeError('Nothing can be divided by zero');
    return a / b;
  });
  // It never answers by itself; the signal aborts as soon as nobody waits for it any more.
  agent.serve('ponder', (_request, context) => {
    return new Promise((_resolve, reject) => {
      context.signal.addEventListener('abort', () => reject(context.signal.reason));
    });
  });
}

const bus = new MessageBus();
makeCalculator(bus.register('ada', { capabilities: ['arithmetic'] }));
makeCalculator(bus.register('blaise', { capabilities: ['arithmetic'] }));
const asker = bus.register('asker');

// Whoever has the fewest requests at hand is asked; between equals they take turns.
console.log(await asker.request('sum', [1, 2, 3]));
console.log(await asker.request('sum', [4, 5, 6]));
console.log(await asker.request('divide', [9, 2], { to: 'ada' }));
console.log(await asker.request('divide', [9, 4], { to: { capability: 'arithmetic' } }));

// What the responder throws rejects the asker, as the very same error.
await asker.request('divide', [1, 0]).catch((error: Error) => {
  console.log(`${error.name}: ${error.message}`);
});

// What the library says has a stable code.
for (const topic of ['multiply', 'ponder']) {
  await asker.request(topic, [2, 3], { timeoutMs: 20 }).catch((error: unknown) => {
    if (isTellaskError(error)) console.log(topic, error.code, `retryable: ${error.retryable}`);
  });
}

await bus.close();
