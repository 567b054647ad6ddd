import type { Ref } from 'nact';
import type { Contender } from '../contender.ts';

interface Question {
  readonly value: number;
  readonly replyTo: Ref<number>;
}

export const contender: Contender = {
  name: 'nact',
  package: 'nact',
  abilities: {
    entry: () => 'nact',
    asker: async () => {
      const { dispatch, query, spawn, start } = await import('nact');
      const actor = spawn(start(), (state: number, { value, replyTo }: Question) => {
        dispatch(replyTo, value + 1);
        return state;
      });
      const ask = (value: number): Promise<unknown> =>
        query(actor, (replyTo: Ref<number>) => ({ value, replyTo }), 30_000);
      return { ask };
    },
    taskQueue: async () => {
      const { dispatch, spawn, start } = await import('nact');
      const system = start();
      let push: (payload: number) => void = () => {};
      return {
        handler: { parameters: 'state, payload', payload: 'payload', last: 'return 0;' },
        work: (handler) => {
          const actor = spawn(system, handler as never);
          push = (payload) => dispatch(actor, payload as never);
        },
        push: (payload) => push(payload),
      };
    },
  },
};
