import type { Contender } from '../contender.ts';
import { keptVersions } from '../kept-versions.ts';

export const contender: Contender = {
  name: 'mutative',
  package: 'mutative',
  abilities: {
    documents: async () => {
      const { create } = await import('mutative');
      return (book, versions) =>
        keptVersions(book, versions, (before, chapter, item, age) =>
          create(
            before,
            (draft) => {
              const author = draft.chapters[chapter]?.items[item]?.author;
              if (author !== undefined) author.age = age;
            },
            { enableAutoFreeze: true },
          ),
        );
    },
  },
};
