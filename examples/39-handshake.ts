// 39 Handshake: two agents agree on a protocol before they work together, or learn why they cannot.
import { MessageBus } from 'tellask';
import { type Handshake, Handshakes } from 'tellask/agents';

const bus = new MessageBus();
const handshakes = new Handshakes(bus);
const writer = bus.register('writer');

// The editor speaks two versions of the review protocol, and takes nobody in a hurry.
const editor = bus.register('editor', { capabilities: ['spelling', 'style'] });
handshakes.accept(editor, {
  versions: ['1.4', '2.0'],
  decide: (from) => (from === 'hothead' ? 'calm down first' : true),
});
// The archivist serves no handshakes at all; the sleeper is there and takes nothing.
bus.register('archivist');
const sleeper = bus.register('sleeper');
handshakes.accept(sleeper, { versions: ['1.0'] });
sleeper.pause();

function show(met: Handshake): void {
  if (met.outcome === 'accepted') {
    console.log(`${met.agent}: ${met.version}, can do ${met.capabilities.join(' and ')}`);
  } else if (met.outcome === 'refused') {
    console.log(`${met.agent}: refused (${met.reason}), ${met.because}`);
  } else {
    console.log(`${met.agent}: no answer within ${met.afterMs} ms`);
  }
}

// Any version will do that is not older and of the same major number: 1.2 is content with 1.4.
show(await handshakes.greet(writer, 'editor', { version: '1.2', needs: ['style'] }));
show(await handshakes.greet(writer, 'editor', { version: '3.0' }));
show(await handshakes.greet(writer, 'editor', { version: '1.2', needs: ['layout'] }));
show(await handshakes.greet(bus.register('hothead'), 'editor', { version: '1.2' }));
show(await handshakes.greet(writer, 'archivist', { version: '1.0' }));
show(await handshakes.greet(writer, 'sleeper', { version: '1.0', timeoutMs: 20 }));

// What was agreed is remembered until either leaves; a successor is greeted anew.
console.log('remembered:', handshakes.with('writer', 'editor')?.version);
await editor.leave();
console.log('after the editor has left:', handshakes.with('writer', 'editor'));
await bus.close({ mode: 'abort' });
