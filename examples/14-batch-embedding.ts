// 14 Batches: many agents ask for one text each, the model is called once for all of them.
import { type Agent, isTellaskError, MessageBus } from 'tellask';

/** Stands for a model behind an API: it takes many texts in one call, and no empty ones. */
async function embed(texts: readonly string[]): Promise<(number[] | Error)[]> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return texts.map((text) => {
    if (text === '') return new RangeError('Nothing to embed');
    return [text.length, text.charCodeAt(0)];
  });
}

function makeEmbedder(agent: Agent, calls: string[][]): void {
  agent.serveBatch(
    'embed.text',
    (requests) => {
      const texts = requests.map((request) => String(request.payload));
      calls.push(texts);
      // One output, or one Error, for each request and in their order.
      return embed(texts);
    },
    // Four texts or 20 ms, whichever is first; and the API takes one call in 30 ms.
    { batch: { max: 4, waitMs: 20 }, rateLimit: { limit: 1, perMs: 30 } },
  );
}

const bus = new MessageBus();
const calls: string[][] = [];
makeEmbedder(bus.register('embedder'), calls);
const reader = bus.register('reader');

const texts = ['tea', 'coffee', '', 'milk', 'sugar', 'lemon'];
const began = performance.now();
const answers = await Promise.allSettled(texts.map((text) => reader.request('embed.text', text)));
const tookMs = performance.now() - began;

answers.forEach((answer, at) => {
  const vector = answer.status === 'fulfilled' ? answer.value : String(answer.reason);
  console.log(JSON.stringify(texts[at]), vector);
});
console.log('calls of the model:', calls);
console.log('the rate limit held back the second call:', tookMs >= 29);

// A model that forgets an answer: nobody knows whose, so all of that batch fail.
bus.register('sloppy').serveBatch('guess', (requests) => requests.slice(1).map(() => 'maybe'));
const guesses = await Promise.allSettled([1, 2].map((n) => reader.request('guess', n)));
for (const guess of guesses) {
  if (guess.status === 'rejected' && isTellaskError(guess.reason)) {
    console.log(guess.reason.code, guess.reason.message);
  }
}

await bus.close();
