import type { Contender } from '../contender.ts';
import { keptVersions } from '../kept-versions.ts';

export const contender: Contender = {
  name: 'immer',
  package: 'immer',
  abilities: {
    documents: async () => {
      const { produce } = await import('immer');
      return (book, versions) =>
        keptVersions(book, versions, (before, chapter, item, age) =>
          produce(before, (draft) => {
            const author = draft.chapters[chapter]?.items[item]?.author;
            if (author !== undefined) author.age = age;
          }),
        );
    },
  },
};
