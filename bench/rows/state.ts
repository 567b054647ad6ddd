import { ability, type Book, type Documents } from '../contender.ts';
import type { Goal, Row, Sampler } from '../row.ts';
import { timed, type Work } from '../timed.ts';

const VERSIONS = 100;

/** Items of about 100 bytes, at most 100 in a chapter. */
function bookOf(bytes: number): Book {
  const items = Math.round(bytes / 100);
  const chapters = Array.from({ length: Math.ceil(items / 100) }, (_, chapter) => ({
    title: `Chapter ${chapter}`,
    items: Array.from({ length: Math.min(items, 100) }, (_item, id) => ({
      id,
      title: `Report ${id} of chapter ${chapter}`,
      tags: ['draft', 'tea'],
      author: { name: 'hermes', age: 7 },
    })),
  }));
  return { chapters, open: true };
}

/** Which leaf the n-th update changes: all items take turns. */
function placeOf(book: Book, n: number): { readonly chapter: number; readonly item: number } {
  const { length } = book.chapters;
  const size = book.chapters[0]?.items.length ?? 1;
  return { chapter: n % length, item: Math.floor(n / length) % size };
}

function ageIn(book: Book | undefined, n: number): number | undefined {
  const { chapter, item } = placeOf(book as Book, n);
  return book?.chapters[chapter]?.items[item]?.author.age;
}

/** Every update writes its own number, so that none could be left out. */
function updates(documents: Documents, book: Book): Work {
  let n = 100;
  return (operations) => {
    for (let left = operations; left > 0; left -= 1) {
      n += 1;
      const { chapter, item } = placeOf(book, n);
      documents.setAge(chapter, item, n);
    }
    const [before, last] = documents.kept().slice(-2);
    if (ageIn(last, n) !== n) throw new Error('the last update got lost');
    if (ageIn(before, n) === n) throw new Error('the version before has changed');
    if (!Object.isFrozen(last?.chapters[0]?.items[0]?.author)) throw new Error('not frozen');
  };
}

function update(name: string, title: string, bytes: number): Row {
  return {
    name: `state-update-${name}`,
    title: `update of one leaf of ${title}, ${VERSIONS} versions kept`,
    unit: 'ns',
    needs: 'documents',
    goals: [{ kind: 'ratio', to: ['immer', 'mutative'], atMost: 0.35 }],
    prepare: async (contender) => {
      const make = await ability(contender, 'documents');
      const book = bookOf(bytes);
      return timed(updates(make(book, VERSIONS), book));
    },
  };
}

/** Bytes that one more version costs: the slope between 100 and 1 100 of them. */
function versionBytes(documents: Documents, book: Book): Sampler {
  const work = updates(documents, book);
  const heap = (): number => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  };
  void work(100);
  return {
    sample: async () => {
      const before = heap();
      await work(1_000);
      return (heap() - before) / 1_000;
    },
  };
}

const underTenKb: readonly Goal[] = [{ kind: 'limit', atMost: 10_000 }];

export const rows: readonly Row[] = [
  update('1kb', 'a 1 KB document', 1_000),
  update('100kb', 'a 100 KB document', 100_000),
  {
    name: 'state-read',
    title: 'reading what is there',
    unit: 'ns',
    needs: 'documents',
    without: ['immer', 'mutative'],
    goals: [{ kind: 'limit', atMost: 1_000 }],
    prepare: async (contender) => {
      const documents = (await ability(contender, 'documents'))(bookOf(100_000), VERSIONS);
      return timed((operations) => {
        let chapters = 0;
        for (let left = operations; left > 0; left -= 1) {
          chapters += documents.current().chapters.length;
        }
        if (chapters !== 10 * operations) throw new Error('read wrongly');
      });
    },
  },
  {
    name: 'state-diff',
    title: 'what changed between two versions of a 100 KB document',
    unit: 'ns',
    needs: 'differ',
    goals: [{ kind: 'ratio', to: ['fast-json-patch'], atMost: 0.5 }],
    prepare: async (contender) => {
      const diff = (await ability(contender, 'differ'))(bookOf(100_000));
      return timed((operations) => {
        for (let left = operations; left > 0; left -= 1) {
          if (diff().length !== 1) throw new Error('one leaf has changed');
        }
      });
    },
  },
  {
    name: 'memory-version',
    title: 'a version more of a 1 MB document, one leaf changed',
    unit: 'bytes',
    needs: 'documents',
    nodeFlags: ['--expose-gc'],
    goals: underTenKb,
    prepare: async (contender) => {
      const make = await ability(contender, 'documents');
      const book = bookOf(1_000_000);
      return versionBytes(make(book, Number.POSITIVE_INFINITY), book);
    },
  },
];
