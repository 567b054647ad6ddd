import type { Contender } from '../contender.ts';

/** The bare synchronous emit: no envelope, no mailbox, no isolation. */
export const contender: Contender = {
  name: 'eventemitter3',
  package: 'eventemitter3',
  abilities: {
    entry: () => 'eventemitter3',
    pubSub: async () => {
      const { EventEmitter } = await import('eventemitter3');
      const emitter = new EventEmitter();
      return {
        handler: { parameters: 'payload', payload: 'payload' },
        subscribe: (topic, handler) => emitter.on(topic, handler),
        unsubscribe: (topic, handler) => emitter.off(topic, handler),
        publish: (topic, payload) => emitter.emit(topic, payload),
      };
    },
  },
};
