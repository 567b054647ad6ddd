import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  type Agent,
  type Context,
  chain,
  defineContract,
  mapReduce,
  NOT_MINE,
  parallel,
} from '../../src/index.ts';

const contract = defineContract({
  requests: { 'search.web': { input: z.object({ q: z.string() }), output: z.number() } },
});
declare const agent: Agent<typeof contract>;
declare const context: Context<typeof contract>;

test('parallel is typed by its tasks', () => {
  const page = parallel(
    {
      hits: (work) => work.request('search.web', { q: 'tea' }),
      title: () => 'On tea',
      left: async (work) => work.remainingMs,
    },
    { as: agent, concurrency: 2, onProgress: ({ done }) => done },
  );
  expectTypeOf(page).resolves.toEqualTypeOf<{ hits: number; title: string; left: number }>();
  const pair = parallel([(work) => work.request('search.web', { q: 'tea' }), () => 'a'], {
    as: context,
  });
  expectTypeOf(pair).resolves.toEqualTypeOf<[number, string]>();
  const many = parallel([1, 2].map((n) => () => n));
  expectTypeOf(many).resolves.toEqualTypeOf<number[]>();
  // @ts-expect-error nobody speaks
  void parallel({ a: (work) => work.request('search.web', { q: '' }) });
  // @ts-expect-error unknown request
  void parallel({ a: (work) => work.request('search.wap', { q: '' }) }, { as: agent });
  // @ts-expect-error q is missing
  void parallel({ a: (work) => work.request('search.web', {}) }, { as: agent });
});

test('what settles names the tasks', async () => {
  const { ok, failed, reason } = await parallel(
    { one: () => 1, two: async () => '2' },
    { mode: 'settle' },
  );
  expectTypeOf(ok).toEqualTypeOf<{ readonly one?: number; readonly two?: string }>();
  expectTypeOf(failed[0]?.task).toEqualTypeOf<'one' | 'two' | undefined>();
  expectTypeOf(reason).toEqualTypeOf<'all' | 'timeout' | 'withdrawn'>();
});

test('mapReduce is typed from the items to the result', async () => {
  const sum = mapReduce(['tea', 'milk'], {
    map: (q, work) => work.request('search.web', { q }),
    reduce: (hits) => hits.reduce((a, b) => a + b, 0),
    as: agent,
  });
  expectTypeOf(sum).resolves.toEqualTypeOf<number>();
  const chunks = mapReduce(new Set([1, 2]), {
    chunkSize: 2,
    map: (chunk) => chunk.length,
    reduce: (lengths) => lengths.map(String),
  });
  expectTypeOf(chunks).resolves.toEqualTypeOf<string[]>();
  const settled = await mapReduce([1, 2], {
    map: (n) => `${n}`,
    reduce: (texts) => texts.join(),
    mode: 'settle',
  });
  expectTypeOf(settled.value).toEqualTypeOf<string | undefined>();
  expectTypeOf(settled.failed[0]?.items).toEqualTypeOf<readonly number[] | undefined>();
});

test('a chain is typed by its links', () => {
  const desk = chain([
    { name: 'small', handle: (n: number) => (n < 10 ? 'small' : NOT_MINE) },
    { name: 'large', canHandle: (n) => n > 10, handle: async () => 'large' },
  ]);
  expectTypeOf(desk.run(7)).resolves.toEqualTypeOf<string>();
  // @ts-expect-error a number is handled
  void desk.run('7');
});
