import type { Contender, PubSub } from '../contender.ts';

async function pubSub(wildcard: boolean): Promise<PubSub> {
  const { default: module } = await import('eventemitter2');
  const emitter = new module.EventEmitter2({ wildcard, delimiter: '.', maxListeners: 0 });
  return {
    handler: { parameters: 'payload', payload: 'payload' },
    subscribe: (pattern, handler) => emitter.on(pattern, handler),
    unsubscribe: (pattern, handler) => emitter.off(pattern, handler),
    publish: (topic, payload) => emitter.emit(topic, payload),
  };
}

export const contender: Contender = {
  name: 'eventemitter2',
  package: 'eventemitter2',
  abilities: {
    entry: () => 'eventemitter2',
    pubSub: () => pubSub(false),
    wildcards: () => pubSub(true),
  },
};
