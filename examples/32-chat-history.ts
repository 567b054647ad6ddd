// 32 A chat history that two agents append to while they think, and a third who comes back later.
import { type Agent, MessageBus, StateManager } from 'tellask';

interface Chat {
  readonly topic: string;
  readonly messages: readonly string[];
}

const bus = new MessageBus({ state: new StateManager() });
const { state } = bus;
state.create('chat.7', { topic: 'tea', messages: [] });

/** Reads, thinks, and adds what it thought to whatever is there by then. */
function makeTalker(agent: Agent, think: () => Promise<string>): void {
  agent.subscribe('your.turn', async (_, context) => {
    const seen = context.state.get('chat.7');
    if (seen === undefined) return;
    const chat = seen.value as Chat;
    const messages = [...chat.messages, `${agent.name}: ${await think()}`];
    const ours = { ...chat, messages };
    const { version, action, actor } = context.state.compareAndSet('chat.7', seen.version, ours, {
      onConflict: { append: ['/messages'] }, // both lists grew: keep both, theirs first
    });
    console.log(`version ${version}: ${action} by ${actor}`);
  });
}
makeTalker(bus.register('ann'), async () => 'green tea?');
makeTalker(bus.register('bob'), async () => 'black tea!');

// The reader remembers how far it came, and misses nothing while it is away.
const first = state.watch('chat.*', { fromRevision: 1 });
console.log('reader:', (await first.next()).value?.action);
await first.return();

await bus.publish('your.turn', {}).settled;
console.log(state.get('chat.7')?.value);

const { resumeFrom } = first;
for await (const { version, actor, value } of state.watch('chat.*', { fromRevision: resumeFrom })) {
  console.log(
    `reader: version ${version} by ${actor}, ${(value as Chat).messages.length} messages`,
  );
  if (version === 3) break;
}

// To change a message is no appending: nobody is merged over, and whoever writes decides.
const late = { topic: 'tea', messages: ['(withdrawn)'] };
state.compareAndSet('chat.7', 1, late, {
  onConflict: ({ theirs, ours }) => ({
    ...(theirs as Chat),
    messages: [...(ours as Chat).messages, ...(theirs as Chat).messages.slice(1)],
  }),
});
console.log(state.get('chat.7')?.value);
await bus.close();
