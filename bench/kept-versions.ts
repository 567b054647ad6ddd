import type { Book, Documents } from './contender.ts';

type SetAge = (before: Book, chapter: number, item: number, age: number) => Book;

/** The least that keeps versions: an array, from which the oldest goes. */
export function keptVersions(
  book: Book,
  versions: number,
  setAge: SetAge,
  frozen = true,
): Documents {
  // The first change freezes what it leaves alone as well.
  let current = setAge(book, 0, 0, 0);
  const kept = [current];
  return {
    frozen,
    setAge: (chapter, item, age) => {
      current = setAge(current, chapter, item, age);
      kept.push(current);
      if (kept.length > versions) kept.shift();
    },
    current: () => current,
    past: (back) => kept[kept.length - 1 - back] as Book,
    kept: () => kept,
  };
}
