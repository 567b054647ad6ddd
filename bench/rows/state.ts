import { ability, type Book, type Documents } from '../contender.ts';
import type { Row, Sampler } from '../row.ts';
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
    if (documents.frozen && !Object.isFrozen(last?.chapters[0]?.items[0]?.author))
      throw new Error('not frozen');
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

/** Bytes that one more version costs: the slope behind the first 100 of them. */
function versionBytes(documents: Documents, book: Book, versions: number): Sampler {
  const work = updates(documents, book);
  const heap = (): number => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  };
  void work(100);
  return {
    sample: async () => {
      const before = heap();
      await work(versions);
      return (heap() - before) / versions;
    },
  };
}

function bytes(
  name: string,
  title: string,
  size: number,
  versions: number,
  without: readonly string[] = [],
): Row {
  return {
    name,
    title: `a version more of a ${title} document, one leaf changed`,
    unit: 'bytes',
    needs: 'documents',
    without,
    nodeFlags: ['--expose-gc'],
    goals: [{ kind: 'limit', atMost: 10_000 }],
    prepare: async (contender) => {
      const make = await ability(contender, 'documents');
      const book = bookOf(size);
      return versionBytes(make(book, Number.POSITIVE_INFINITY), book, versions);
    },
  };
}

/** Who copies the whole document for every version. */
const COPIERS = ['structured-clone', 'fast-json-patch'];

function read(name: string, title: string, look: (documents: Documents) => Book): Row {
  return {
    name,
    title,
    unit: 'ns',
    needs: 'documents',
    without: ['immer', 'mutative', ...COPIERS], // an element of an array is read
    goals: [{ kind: 'limit', atMost: 1_000 }],
    prepare: async (contender) => {
      const book = bookOf(100_000);
      const documents = (await ability(contender, 'documents'))(book, VERSIONS);
      await updates(documents, book)(VERSIONS);
      return timed((operations) => {
        let chapters = 0;
        for (let left = operations; left > 0; left -= 1)
          chapters += look(documents).chapters.length;
        if (chapters !== 10 * operations) throw new Error('read wrongly');
      });
    },
  };
}

export const rows: readonly Row[] = [
  update('1kb', 'a 1 KB document', 1_000),
  update('100kb', 'a 100 KB document', 100_000),
  update('1mb', 'a 1 MB document', 1_000_000),
  read('state-read', 'reading what is there', (documents) => documents.current()),
  read('state-read-past', 'reading the version 50 before', (documents) => documents.past(50)),
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
  bytes('memory-version', '1 MB', 1_000_000, 1_000, COPIERS),
  bytes('memory-version-100kb', '100 KB', 100_000, 100),
];
