// 40 Supervision: a writer that fails begins anew, keeps its mail, and is given up in the end.
import { type Agent, MessageBus, RestartError } from 'tellask';

let lives = 0;

/** One life: what it makes here is fresh each time. */
function startWriter(agent: Agent): () => void {
  const life = ++lives;
  const draft: string[] = [];
  agent.subscribe('line.written', ({ payload }) => {
    // Its state can no longer be trusted: this line ends as a dead letter, the others are kept.
    if (payload === '???') throw new RestartError('the draft is garbled');
    draft.push(String(payload));
    console.log(`  life ${life} writes "${payload}", ${draft.length} in its draft`);
  });
  agent.serve('draft.read', () => draft.join(' / '));
  return () => console.log(`  life ${life} ends`);
}

const bus = new MessageBus();
bus.events.on('restarted', (agent, error, restarts) => {
  console.log(`  ${agent} is restarted: ${(error as Error).message} (${restarts} of 2)`);
});
bus.register('writer', {
  start: startWriter,
  restart: { maxRestarts: 2, withinMs: 60_000 },
  onEscalate: ({ agent, restarts }) => console.log(`  ${agent} is given up after ${restarts}`),
});

console.log('a garbled line among good ones:');
for (const line of ['Tea is ready', '???', 'It is hot', 'It is green']) {
  bus.publish('line.written', line);
}
await bus.drain();
console.log(`  the draft: ${await bus.request('draft.read', {})}`);

console.log('again and again:');
for (const line of ['???', '???', 'Too late']) bus.publish('line.written', line);
await bus.drain();
const asked = await bus.request('draft.read', {}).catch((error: Error) => error.name);
console.log(`  who asks now gets ${asked}`);
console.log(`  dead letters: ${bus.deadLetters.list().map(({ reason }) => reason)}`);
await bus.close();
