import type { Contender, PubSub } from '../contender.ts';

async function pubSub(): Promise<PubSub> {
  const { default: mqemitter } = await import('mqemitter');
  const emitter = mqemitter({
    concurrency: 0,
    separator: '.',
    wildcardOne: '*',
    wildcardSome: '**',
  });
  return {
    handler: { parameters: 'message, done', payload: 'message.payload', last: 'done();' },
    subscribe: (pattern, handler) => emitter.on(pattern, handler),
    unsubscribe: (pattern, handler) => emitter.removeListener(pattern, handler),
    publish: (topic, payload) => emitter.emit({ topic, payload }),
    unsubscribesLater: true,
  };
}

export const contender: Contender = {
  name: 'mqemitter',
  package: 'mqemitter',
  abilities: { entry: () => 'mqemitter', pubSub, wildcards: pubSub },
};
