// 24 Map and reduce: many pages are read, three at a time, and what fails stays visible.
import { type Agent, MessageBus, mapReduce, WorkflowError } from 'tellask';

type Page = { readonly name: string; readonly text: string };

function makeReader(agent: Agent): void {
  agent.serve('words.count', (request) => {
    const { name, text } = request.payload as Page;
    if (text === '') throw new RangeError(`${name} is empty`);
    return text.split(' ').length;
  });
}

// The work belongs to the conversation of the handler, and ends with it.
function makeEditor(agent: Agent): void {
  agent.serve('book.count', (request, context) =>
    mapReduce(request.payload as Page[], {
      map: async (page, work) => Number(await work.request('words.count', page)),
      reduce: (counts) => counts.reduce((sum, count) => sum + count, 0),
      concurrency: 3,
      as: context,
      onProgress: ({ last }) => last && context.progress(`page ${last.task} ${last.outcome}`),
    }),
  );
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

// In chunks, with `settle`: what could be done, and which items are to be done again.
const { value, failed } = await mapReduce(torn, {
  chunkSize: 2,
  map: (chunk, work) => Promise.all(chunk.map((page) => work.request('words.count', page))),
  reduce: (counts) => counts.flat(),
  mode: 'settle',
  as: bus,
});
console.log(value, 'again:', ...failed.flatMap(({ items }) => items.map(({ name }) => name)));

await bus.close();
