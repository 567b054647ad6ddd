// 10 Streaming: an answer comes chunk by chunk, also through an agent in between.
import { type Agent, MessageBus, type MessageStream } from 'tellask';

const PAGES = ['tea', 'green tea', 'black tea', 'tea pots', 'tea leaves', 'high tea'];

// What it yields are the chunks and what it returns is the answer.
function makeSearcher(agent: Agent): void {
  agent.serve('search', async function* (request) {
    let found = 0;
    try {
      for (const page of PAGES) {
        if (!page.includes(String(request.payload))) continue;
        found++;
        yield page;
      }
      return { found };
    } finally {
      console.log(`  searcher stops after ${found} pages`);
    }
  });
}

// It hands on what the searcher says: chunks, answer, errors, and the reader's leaving.
function makeLibrarian(agent: Agent): void {
  agent.serve('library.search', async function* (request, context) {
    yield 'Let me see.';
    return yield* context.stream('search', request.payload, { highWaterMark: 1 });
  });
}

async function show(title: string, stream: MessageStream, most: number): Promise<void> {
  console.log(title);
  let read = 0;
  for await (const page of stream) {
    console.log(`  reads ${page}`);
    if (++read === most) break;
  }
  const result = await stream.result.catch((error: Error) => error.message);
  console.log('  result:', result);
}

const bus = new MessageBus();
makeSearcher(bus.register('searcher'));
makeLibrarian(bus.register('librarian'));

await show('Everything:', bus.stream('library.search', 'tea'), Infinity);

// Leaving the loop ends both generators; the searcher was never more than a few pages ahead.
await show('The first two:', bus.stream('library.search', 'tea', { highWaterMark: 1 }), 3);

// A request wants the answer alone: the chunks are dropped.
console.log('Only the answer:', await bus.request('library.search', 'pots'));

await bus.close();
