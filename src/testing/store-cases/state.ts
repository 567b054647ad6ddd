import { StateManager } from '../../state/state-manager.ts';
import type { Store } from '../../stores/store.ts';
import { seededRandom } from '../seeded-random.ts';
import type { StoreCase } from '../store-conformance.ts';
import { expectSame, expectThat, put } from './expect.ts';

/** More than a state reads in one page. */
const MANY = 1_100;

/** A `StateManager` on the store: what these find and nothing else does is a case that is missing. */
export function stateCases(): readonly StoreCase[] {
  return [
    {
      name: 'carries a state from one process to the next, page by page',
      async run(store) {
        const first = await StateManager.open({ store });
        for (let n = 0; n < MANY; n += 1) first.set(`doc.${n}.größe`, { n, text: '😀 "\\' });
        await first.flushed();
        for (let n = 0; n < MANY; n += 3) first.delete(`doc.${n}.größe`);
        const { unsaved } = await first.close();
        const second = await StateManager.open({ store });

        expectSame(unsaved, [], 'what was not saved');
        expectSame(contentOf(second), contentOf(first), 'what the next process finds');
        expectSame(second.create('doc.0.größe', 1).version, 3, 'the version of what was deleted');
        expectSame((await second.close()).unsaved, [], 'what was not saved then');
      },
    },
    {
      name: 'carries a state through the writes, deletes and restarts of a random program',
      async run(store) {
        const random = seededRandom(7);
        let state = await StateManager.open({ store });
        for (let step = 0; step < 120; step += 1) {
          const key = `k.${Math.floor(random() * 4)}`;
          if (random() < 0.3) state.delete(key);
          else state.set(key, step);
          if (random() < 0.3) await state.flushed();
          if (random() < 0.1) state = await restarted(store, state, `step ${step}`);
        }
        await restarted(store, state, 'the end');
      },
    },
    {
      name: 'rolls a state back to what another process has written',
      async run(store) {
        const [one, other] = [
          await StateManager.open({ store }),
          await StateManager.open({ store }),
        ];
        one.set('a', 'first');
        await one.flushed();
        other.set('b', 'theirs');
        await other.flushed();
        const together = other.set('c', 'with it');
        const late = other.set('a', 'late');
        const outcomes = await Promise.allSettled([late.durable, together.durable]);

        expectSame(
          outcomes.map(({ status }) => status),
          ['rejected', 'rejected'],
          'what became of the late one and of what went with it',
        );
        expectSame(other.get('a')?.value, 'first', 'what the late one has then');
        await other.flushed();
        await other.set('a', 'in time').durable;
        const third = await StateManager.open({ store });
        expectSame(
          third.list().map(({ key, value }) => `${key} ${value}`),
          ['a in time', 'b theirs'],
          'what a third one finds',
        );
        for (const state of [one, other, third]) await state.close();
      },
    },
    {
      name: 'keeps states apart whose prefixes begin alike',
      async run(store) {
        await store.commit([
          put('one', 'no state'),
          put('one0', 'no state'),
          put('One/a', 'neither'),
        ]);
        const states = [];
        for (const prefix of ['one/', 'one_/', 'on%/']) {
          const state = await StateManager.open({ store, prefix });
          await state.set('a', prefix).durable;
          states.push(state);
        }
        for (const state of states) await state.close();

        for (const prefix of ['one/', 'one_/', 'on%/']) {
          const state = await StateManager.open({ store, prefix });
          expectSame(
            state.list().map(({ value }) => value),
            [prefix],
            prefix,
          );
          await state.close();
        }
      },
    },
  ];
}

/** All keys with value, version and revision. */
function contentOf(state: StateManager): string[] {
  return state.list().map(({ key, value, version, revision }) => {
    return `${key}@${version}/${revision}=${JSON.stringify(value)}`;
  });
}

async function restarted(store: Store, state: StateManager, when: string): Promise<StateManager> {
  const { unsaved } = await state.close();
  expectThat(unsaved.length === 0, `at ${when} the store has not taken ${unsaved.join(', ')}`);
  const next = await StateManager.open({ store });
  expectSame(contentOf(next), contentOf(state), `what the next process finds at ${when}`);
  return next;
}
