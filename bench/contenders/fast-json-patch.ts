import { type Contender, withAge } from '../contender.ts';
import { keptVersions } from '../kept-versions.ts';

export const contender: Contender = {
  name: 'fast-json-patch',
  package: 'fast-json-patch',
  abilities: {
    documents: async () => {
      const { applyPatch } = (await import('fast-json-patch')).default;
      return (book, versions) =>
        keptVersions(
          book,
          versions,
          (before, chapter, item, age) => {
            const path = `/chapters/${chapter}/items/${item}/author/age`;
            // Neither checks the patch, nor changes the version before.
            return applyPatch(before, [{ op: 'replace', path, value: age }], false, false)
              .newDocument;
          },
          false,
        );
    },
    differ: async () => {
      const { compare } = (await import('fast-json-patch')).default;
      return (book) => {
        const after = withAge(book, 5, 50, 8);
        return () => compare(book, after);
      };
    },
  },
};
