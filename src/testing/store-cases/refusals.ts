import type { Store } from '../../stores/store.ts';
import type { StoreCase } from '../store-conformance.ts';
import { contentOf, expectSame, expectThat, put, rejectionOf } from './expect.ts';

type Refused = readonly [what: string, call: (store: Store) => Promise<unknown>];

const BAD_KEYS: readonly (readonly [what: string, key: unknown])[] = [
  ['an empty key', ''],
  ['a key of 513 characters', 'x'.repeat(513)],
  ['a key with U+0000', 'a\0b'],
  ['a key with half a surrogate pair', 'a\ud83d'],
  ['a key that is a number', 1],
  ['a key that is undefined', undefined],
];

const BAD_COUNTS: readonly unknown[] = [-1, 0.5, Number.NaN, 2 ** 53, '1'];

const REFUSED: readonly Refused[] = [
  ...BAD_KEYS.map(
    ([what, key]): Refused => [`to get ${what}`, (store) => store.get(key as string)],
  ),
  ...BAD_KEYS.map(
    ([what, key]): Refused => [
      `to commit ${what}`,
      (store) => store.commit([put('b', '2'), put(key as string, '')]),
    ],
  ),
  ...[1, null, {}, 'a\ud83d'].map(
    (value): Refused => [
      `to commit the value ${JSON.stringify(value)}`,
      (store) => store.commit([put('b', '2'), put('c', value as string)]),
    ],
  ),
  ...BAD_COUNTS.map(
    (count): Refused => [
      `to commit at version ${String(count)}`,
      (store) => store.commit([put('b', '2'), put('c', '', count as number)]),
    ],
  ),
  ['to commit nothing', (store) => store.commit([])],
  ['to commit a key twice', (store) => store.commit([put('b', '2'), put('b', '3')])],
  ['to commit what is no array', (store) => store.commit(undefined as never)],
  ['to commit what is no write', (store) => store.commit([null as never])],
  ['to scan what is no string', (store) => store.scan(undefined as never)],
  ['to scan behind what is no string', (store) => store.scan('', { after: 1 as never })],
  ...BAD_COUNTS.map(
    (limit): Refused => [
      `to scan at most ${String(limit)}`,
      (store) => store.scan('', { limit: limit as number }),
    ],
  ),
  ...BAD_COUNTS.map(
    (count): Refused => [
      `to read behind ${String(count)}`,
      (store) => store.read({ after: count as number }),
    ],
  ),
  ...BAD_COUNTS.map(
    (limit): Refused => [
      `to read at most ${String(limit)}`,
      (store) => store.read({ limit: limit as number }),
    ],
  ),
];

/** Calls that make no sense: refused by a rejection, never thrown, and nothing is written. */
export function refusalCases(): readonly StoreCase[] {
  return REFUSED.map(([what, call]) => ({
    name: `refuses ${what}`,
    async run(store) {
      await store.commit([put('a', '1')]);
      const error = await rejectionOf(call(store), what);

      expectThat(
        error instanceof TypeError || error instanceof RangeError,
        `Expected a TypeError or a RangeError, but it is ${String(error)}`,
      );
      expectSame(await contentOf(store), ['a=1'], 'everything');
    },
  }));
}
