// 04 Patterns and families: a contract names what may be said, with schemas and types.
import { type Agent, defineContract, isTellaskError, MessageBus, topic } from 'tellask';
import { z } from 'zod';

const contract = defineContract({
  topics: {
    'report.{id}.drafted': z.object({ text: z.string(), words: z.number().default(0) }),
    'report.{id}.approved': z.object({ by: z.string() }),
    'alarm.raised': z.object({ level: z.enum(['amber', 'red']) }),
  },
  requests: { 'words.count': { input: z.object({ text: z.string() }), output: z.number() } },
});
type Newsroom = typeof contract;

// A pattern over many families gives a union, and `family` tells its members apart.
function makeChronicle(agent: Agent<Newsroom>): void {
  agent.subscribe('report.*.*', (message) => {
    const { id } = message.params;
    if (message.family === 'report.{id}.drafted') {
      console.log(`${id} has ${message.payload.words} words`);
    } else {
      console.log(`${id} was approved by ${message.payload.by}`);
    }
  });
  agent.subscribe('{alarm,report.*}.{raised,approved}', (message) => {
    console.log(`front page: ${message.topic}`);
  });
}

const bus = new MessageBus({ contract });
makeChronicle(bus.register('chronicle'));
const writer = bus.register('writer');

// `topic` makes one segment of any text: a path has dots and slashes.
const drafted = topic('report.{id}.drafted', { id: 'docs/a.md' });
console.log(drafted);
writer.publish(drafted, { text: 'Hello.' });
writer.publish(topic('report.{id}.approved', { id: '7' }), { by: 'editor' });
writer.publish('alarm.raised', { level: 'red' });
await bus.drain();

// A request names what it takes and what it gives: the answer is a number, and checked.
bus.register('counter').serve('words.count', ({ payload }) => payload.text.split(' ').length);
console.log('words:', await writer.request('words.count', { text: 'tell and ask' }));

// The compiler refuses these two as well; the casts are what it takes to get past it.
try {
  writer.publish('alarm.raised', { level: 'pink' } as never);
} catch (error) {
  if (isTellaskError(error)) console.log(error.code, '-', error.message);
}
try {
  writer.publish('alarm.risen' as never, {} as never);
} catch (error) {
  if (isTellaskError(error)) console.log(error.code, '-', error.message);
}

await bus.close();
