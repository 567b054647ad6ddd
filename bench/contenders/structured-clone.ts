import type { Contender } from '../contender.ts';

/** What a program does that wants eventemitter3 and a payload that nobody else can change. */
export const contender: Contender = {
  name: 'structured-clone',
  abilities: {
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
