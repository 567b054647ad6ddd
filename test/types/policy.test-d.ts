import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineContract, fallback, MessageBus, type Policy, retry } from '../../src/index.ts';

const contract = defineContract({
  topics: {},
  requests: { length: { input: z.string(), output: z.number(), chunk: z.boolean() } },
});
const bus = new MessageBus({ contract });
const policy = retry();

// R:H5
test('a policy leaves the types of the contract as they are', () => {
  expectTypeOf(bus.request('length', 'tea', { policy })).resolves.toEqualTypeOf<number>();
  expectTypeOf(bus.stream('length', 'tea', { policy }).next).returns.resolves.toEqualTypeOf<
    IteratorResult<boolean, number>
  >();
  // @ts-expect-error the contract asks for a string
  void bus.request('length', 7, { policy });
});

test('a policy of another make fits, and one with answers of its own does not', () => {
  const foreign = {
    execute: async <T>(fn: (context: never) => T | PromiseLike<T>): Promise<T> => fn({} as never),
  };
  const fits: Policy = foreign;
  void bus.request('length', 'tea', { policy: fits });
  // @ts-expect-error the answer would be no number
  void bus.request('length', 'tea', { policy: fallback({ value: 'none' }) });
});
