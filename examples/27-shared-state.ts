// 27 Shared state: two agents edit one document; one wins a race, two changes are merged.
import { type Agent, isTellaskError, MessageBus, StateManager } from 'tellask';

interface Doc {
  readonly title: string;
  readonly lines: readonly string[];
}

const bus = new MessageBus({ state: new StateManager() });

// What a handler writes is signed with its agent and with the message that it handles.
function makeWriter(agent: Agent): void {
  agent.subscribe('report.due', (message, { state }) => {
    state.create('doc.7', { title: String(message.payload), lines: ['Boil water.'] });
  });
}
makeWriter(bus.register('writer'));
const { id, settled } = bus.publish('report.due', 'Tea');
await settled;
console.log('made because of the message:', bus.state.get('doc.7')?.causationId === id);

// A race: both have seen version 0 of the task, which says that nobody has it.
const [ann, bob] = [bus.register('ann'), bus.register('bob')];
for (const { state, name } of [ann, bob]) {
  try {
    state.compareAndSet('task.7.owner', 0, name);
    console.log(name, 'takes the task');
  } catch (error) {
    if (!isTellaskError(error, 'TELLASK_STATE_CONFLICT')) throw error;
    console.log(name, 'is late:', error.message);
  }
}

// A merge: both have seen version 1 of the document, and change different parts of it.
const seen = ann.state.get('doc.7');
if (seen === undefined) throw new Error('there is no document');
const doc = seen.value as Doc;
ann.state.compareAndSet('doc.7', seen.version, { ...doc, title: 'Green tea' });
const lines = [...doc.lines, 'Wait four minutes.'];
bob.state.compareAndSet('doc.7', seen.version, { ...doc, lines }, { onConflict: 'merge' });
console.log(bus.state.get('doc.7')?.value);

for (const { version, actor, action } of bus.state.history('doc.7')) {
  console.log(`version ${version}: ${action} by ${actor}`);
}
console.log(bus.state.diff('doc.7', 1, 3));

// Who comes later sees all that was, and then what is new.
for await (const { key, version, actor } of bus.state.watch('doc.*', { fromRevision: 1 })) {
  console.log(`seen: ${key} ${version} by ${actor}`);
  if (version === 3) break;
}
await bus.close();
