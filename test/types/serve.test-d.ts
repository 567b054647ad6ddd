import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineContract, MessageBus } from '../../src/index.ts';

const contract = defineContract({
  requests: {
    'price.{item}': { input: z.object({ count: z.number() }), output: z.number() },
    'search.web': { input: z.object({ q: z.string() }), output: z.array(z.string()) },
  },
});
const shop = new MessageBus({ contract }).register('shop');

test('a family of requests is served by its key', () => {
  shop.serve('price.{item}', (request) => {
    expectTypeOf(request.params).toEqualTypeOf<{ readonly item: string }>();
    expectTypeOf(request.payload).toEqualTypeOf<{ count: number }>();
    return request.payload.count * 2;
  });
  shop.serve('search.web', (request) => [request.payload.q]);
  // @ts-expect-error the answer is a number
  shop.serve('price.{item}', () => 'much');
  // @ts-expect-error unknown request
  shop.serve('cost.{item}', () => 1);
});
