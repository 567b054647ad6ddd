import type { StoreCase } from '../store-conformance.ts';
import { contentOf, expectSame, put, remove } from './expect.ts';

/** Keys in the order of their code points; `<` would have the emoji before the two last. */
const IN_ORDER = ['', ' ', '!', '/', '/a', '0', 'A', '_', 'a', 'é', '\ud7ff', '\ue000', '\uffff'];
const ALL = [...IN_ORDER, '😀', '\u{10ffff}'].map((end) => `k${end}`);

/** What is under a prefix, in which order. */
export function scanCases(): readonly StoreCase[] {
  return [
    {
      name: 'scans by the code points of the keys, however they were written',
      async run(store) {
        for (const key of shuffled(ALL)) await store.commit([put(key, '')]);

        expectSame(await keysOf(store.scan('k')), ALL, 'the keys');
        expectSame(await keysOf(store.scan('')), ALL, 'all keys');
      },
    },
    {
      name: 'scans what begins with the prefix and nothing else',
      async run(store) {
        const keys = ['a', 'a.', 'a/', 'a/1', 'a/1/2', 'a0', 'A/1', 'b/a/1', 'a%1', 'ax1', 'á/1'];
        await store.commit(keys.map((key) => put(key, '')));

        expectSame(await keysOf(store.scan('a/')), ['a/', 'a/1', 'a/1/2'], 'a/');
        expectSame(await keysOf(store.scan('a/1')), ['a/1', 'a/1/2'], 'a/1');
        expectSame(await keysOf(store.scan('a%')), ['a%1'], 'a%');
        expectSame(await keysOf(store.scan('a_')), [], 'a_');
        expectSame(await keysOf(store.scan('a*')), [], 'a*');
        expectSame(await keysOf(store.scan('c')), [], 'c');
      },
    },
    {
      name: 'scans a prefix that ends with the last characters there are',
      async run(store) {
        const keys = ['x\uffff', 'x\uffff1', 'x\u{10ffff}', 'x\u{10ffff}1', 'y'];
        await store.commit(keys.map((key) => put(key, '')));

        expectSame(await keysOf(store.scan('x')), keys.slice(0, 4), 'x');
        expectSame(await keysOf(store.scan('x\uffff')), keys.slice(0, 2), 'U+FFFF');
        expectSame(await keysOf(store.scan('x\u{10ffff}')), keys.slice(2, 4), 'U+10FFFF');
      },
    },
    {
      name: 'scans with values and versions, and without what was deleted',
      async run(store) {
        await store.commit([put('a', '1'), put('b', '1'), put('c', '1')]);
        await store.commit([put('c', '2'), remove('b')]);

        expectSame(await contentOf(store), ['a=1', 'c=2'], 'everything');
        expectSame((await store.scan('c'))[0], await store.get('c'), 'what scan and get give');
      },
    },
    {
      name: 'scans page by page',
      async run(store) {
        await store.commit(ALL.map((key) => put(key, '')));

        for (const limit of [1, 2, ALL.length, ALL.length + 1]) {
          const pages: string[] = [];
          for (let page = await keysOf(store.scan('k', { limit })); page.length > 0; ) {
            expectSame(page.length <= limit, true, `at most ${limit} in a page`);
            pages.push(...page);
            // A store that begins each page anew would go on for ever.
            if (pages.length > ALL.length) break;
            page = await keysOf(store.scan('k', { limit, after: page.at(-1) as string }));
          }
          expectSame(pages, ALL, `pages of ${limit}`);
        }
      },
    },
    {
      name: 'scans behind a key that is not there, or not under the prefix',
      async run(store) {
        await store.commit(['a', 'k1', 'k3', 'z'].map((key) => put(key, '')));

        expectSame(await keysOf(store.scan('k', { after: 'k2' })), ['k3'], 'between two');
        expectSame(await keysOf(store.scan('k', { after: 'a' })), ['k1', 'k3'], 'below');
        expectSame(await keysOf(store.scan('k', { after: 'k3' })), [], 'the last');
        expectSame(await keysOf(store.scan('k', { after: 'z' })), [], 'above');
        expectSame(await keysOf(store.scan('', { after: 'k1' })), ['k3', 'z'], 'no prefix');
      },
    },
    {
      name: 'scans nothing with the limit 0, and everything with Infinity',
      async run(store) {
        await store.commit([put('a', '1'), put('b', '1')]);

        expectSame(await keysOf(store.scan('', { limit: 0 })), [], 'limit 0');
        expectSame(await keysOf(store.scan('', { limit: Infinity })), ['a', 'b'], 'no limit');
      },
    },
  ];
}

async function keysOf(found: Promise<readonly { readonly key: string }[]>): Promise<string[]> {
  return (await found).map(({ key }) => key);
}

/** In an order that is neither theirs nor its reverse, the same each time. */
function shuffled(keys: readonly string[]): string[] {
  const [even, odd] = [0, 1].map((rest) => keys.filter((_, index) => index % 2 === rest));
  return [...(odd as string[]).toReversed(), ...(even as string[])];
}
