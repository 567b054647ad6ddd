import type { Contender } from '../contender.ts';
import { keptVersions } from '../kept-versions.ts';

interface Changeable {
  readonly chapters: readonly { readonly items: readonly { readonly author: { age: number } }[] }[];
}

/**
 * What a program does that has no library for it: eventemitter3 and a payload that nobody else can
 * change, and a copy of the whole document before every change.
 */
export const contender: Contender = {
  name: 'structured-clone',
  abilities: {
    documents: () => (book, versions) =>
      keptVersions(
        book,
        versions,
        (before, chapter, item, age) => {
          const after = structuredClone(before);
          const author = (after as Changeable).chapters[chapter]?.items[item]?.author;
          if (author !== undefined) author.age = age;
          return after;
        },
        false,
      ),
    pubSub: async () => {
      const { EventEmitter } = await import('eventemitter3');
      const emitter = new EventEmitter();
      return {
        handler: { parameters: 'payload', payload: 'payload' },
        subscribe: (topic, handler) => emitter.on(topic, handler),
        unsubscribe: (topic, handler) => emitter.off(topic, handler),
        publish: (topic, payload) => emitter.emit(topic, structuredClone(payload)),
      };
    },
  },
};
