// 11 Gather: ask everyone at once, stop when enough have answered, keep what has come.
import { type Agent, type Gathered, MessageBus, quorum } from 'tellask';

type Manner = 'yes' | 'no' | 'broken' | 'slow';

function makeReviewer(agent: Agent, manner: Manner): void {
  agent.serve('review', (_request, context) => {
    if (manner === 'broken') throw new Error('lost the page');
    if (manner !== 'slow') return manner;
    context.progress('still reading');
    return new Promise((_resolve, reject) => {
      context.signal.addEventListener('abort', () => {
        console.log(`  ${agent.name} is told to stop`);
        reject(context.signal.reason);
      });
    });
  });
  agent.subscribe('verdict', ({ payload }) => console.log(`  ${agent.name} hears: ${payload}`));
}

function show(title: string, { ok, failed, cancelled, reason }: Gathered): void {
  console.log(`${title}: ${reason}`);
  console.log(`  ok: ${ok.map(({ from, value }) => `${from} says ${value}`).join(', ')}`);
  console.log(`  failed: ${failed.map(({ from }) => from).join(', ') || 'nobody'}`);
  console.log(`  cancelled: ${cancelled.map(({ from }) => from).join(', ') || 'nobody'}`);
}

const bus = new MessageBus();
const manners: Record<string, Manner> = { ann: 'slow', bob: 'broken', cat: 'yes', dan: 'no' };
for (const [name, manner] of Object.entries(manners)) makeReviewer(bus.register(name), manner);
const editor = bus.register('editor');

// Two answers are enough: whoever has not ended by then is called off.
const two = await editor.gather('review', 'a page', {
  until: quorum(2),
  onProgress: (update, from) => console.log(`  ${from}: ${update}`),
});
show('Two of four', two);

// Three cannot be reached any more once two have failed, however long the time is.
show(
  'Three of these',
  await editor.gather('review', 'a page', {
    to: ['bob', 'cat', 'dan', 'zoe'],
    until: quorum(3),
  }),
);

// When the time is over, what has come is still there.
show('In 20 ms', await editor.gather('review', 'a page', { timeoutMs: 20 }));

// A broadcast tells each of them, and says what became of each message.
const told = editor.broadcast(['ann', 'cat', 'zoe'], 'verdict', 'printed', { exclude: 'ann' });
for (const { to, outcome } of await told.settled) console.log(`verdict to ${to}: ${outcome}`);

await bus.close();
