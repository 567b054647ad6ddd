import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineContract, MessageBus, type MessageStream } from '../../src/index.ts';

const contract = defineContract({
  requests: {
    'search.web': {
      input: z.object({ q: z.string() }),
      output: z.array(z.string()),
      chunk: z.coerce.number<string>(),
    },
    'count.{what}': { input: z.object({}), output: z.number() },
  },
});
const bus = new MessageBus({ contract });
const agent = bus.register('searcher');

test('a stream is typed by its chunks and its answer', () => {
  const stream = bus.stream('search.web', { q: '' });
  expectTypeOf(stream).toEqualTypeOf<MessageStream<number, string[]>>();
  expectTypeOf(stream.result).toEqualTypeOf<Promise<string[]>>();
  expectTypeOf(agent.stream('count.hits', {})).toEqualTypeOf<MessageStream<never, number>>();
  expectTypeOf(new MessageBus().stream('any', 1)).toEqualTypeOf<MessageStream>();
  // @ts-expect-error q is missing
  bus.stream('search.web', {});
  // @ts-expect-error unknown request
  bus.stream('search.wap', { q: '' });
});

test('a responder may be a generator, or give back what is iterated asynchronously', () => {
  agent.serve('search.web', async function* (request) {
    yield request.payload.q;
    return [];
  });
  agent.serve('search.web', function* () {
    yield 'a';
    return [];
  });
  agent.serve('search.web', (): AsyncIterable<string, string[], undefined> => pages());
  agent.serve('count.hits', async function* (_request, context) {
    return (yield* context.stream('count.misses', {})) + 1;
  });
  // @ts-expect-error what it yields is a string
  agent.serve('search.web', async function* () {
    yield 1;
    return [];
  });
  // @ts-expect-error what it returns is a list
  agent.serve('search.web', async function* () {
    yield 'a';
    return 7;
  });
  // @ts-expect-error it has no chunks
  agent.serve('count.hits', async function* () {
    yield 'a';
    return 7;
  });
});

declare function pages(): AsyncGenerator<string, string[], undefined>;
