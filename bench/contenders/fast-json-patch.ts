import { type Contender, withAge } from '../contender.ts';

export const contender: Contender = {
  name: 'fast-json-patch',
  package: 'fast-json-patch',
  abilities: {
    differ: async () => {
      const { compare } = (await import('fast-json-patch')).default;
      return (book) => {
        const after = withAge(book, 5, 50, 8);
        return () => compare(book, after);
      };
    },
  },
};
