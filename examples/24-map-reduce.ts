// 24 Map and reduce: many pages are read, three at a time, and what fails stays visible.
import { type Agent, type Context, MessageBus, mapReduce, WorkflowError } from 'tellask';

interface Page {
  readonly name: string;
  readonly text: string;
}

function makeReader(agent: Agent): void {
  agent.serve('words.count', (request) => {
    const { name, text } = request.payload as Page;
    if (text === '') throw new RangeError(`${name} is empty`);
    return text.split(' ').length;
  });
}

function makeEditor(agent: Agent): void {
  agent.serve('book.count', (request, context) => countAll(request.payload as Page[], context));
}

// It speaks inside the conversation of the handler, and ends with it.
function countAll(pages: Iterable<Page> | AsyncIterable<Page>, context: Context): Promise<number> {
  return mapReduce(pages, {
    map: async (page, work) => Number(await work.request('words.count', page)),
    reduce: (counts) => counts.reduce((sum, count) => sum + count, 0),
    concurrency: 3,
    as: context,
    onProgress: ({ done, total, last }) => {
      if (last) context.progress(`${done} of ${total}: page ${last.task} ${last.outcome}`);
    },
  });
}

const bus = new MessageBus();
for (const name of ['ann', 'bob', 'cat']) makeReader(bus.register(name));
makeEditor(bus.register('editor'));
const onProgress = (update: unknown): void => console.log('  ', update);

const tea = ['Boil water', 'Warm the pot', 'Wait four minutes or five'];
const pages = tea.map((text, i) => ({ name: `page ${i}`, text }));
console.log('words:', await bus.request('book.count', pages, { onProgress }));

// One page cannot be counted. By default that fails the whole, and nothing that was done is lost.
const torn = pages.with(1, { name: 'page 1', text: '' });
await bus.request('book.count', torn, { onProgress }).catch((error: unknown) => {
  if (!(error instanceof WorkflowError)) throw error;
  console.log(error.message, '| counted:', error.ok, '|', String(error.cause));
});

// Chunks of what comes in over time; with `settle` the sum is of what could be done.
async function* arriving(): AsyncGenerator<Page> {
  yield* torn;
}
const { value, failed } = await mapReduce(arriving(), {
  chunkSize: 2,
  map: (chunk) => {
    for (const { name, text } of chunk) if (text === '') throw new RangeError(`${name} is empty`);
    return chunk.length;
  },
  reduce: (sizes) => sizes.reduce((sum, size) => sum + size, 0),
  mode: 'settle',
});
console.log(
  'pages read:',
  value,
  '| not read:',
  failed.flatMap(({ items }) => items.map((p) => p.name)),
);

await bus.close();
