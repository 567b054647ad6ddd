import { describe, expect, it } from 'vitest';
import type { StateEntry } from '../../src/state/entry.ts';
import { StateManager } from '../../src/state/state-manager.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const makeState = () => new StateManager({ env: new SimEnv() });

/** The code of what a call throws, or the name where it is no error of the library. */
function refusal(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).name;
  }
  return 'nothing was thrown';
}

describe('the operations of the state', () => {
  // R:K2
  it('count the versions of a key, also over a delete', () => {
    const state = makeState();

    const versions = [
      state.create('doc.1', { n: 1 }),
      state.set('doc.1', { n: 2 }),
      state.update('doc.1', (doc) => ({ ...(doc as object), n: 3 })),
      state.delete('doc.1'),
      state.create('doc.1', { n: 5 }),
    ];

    expect(versions.map((one) => `${one?.version} ${one?.action}`)).toEqual([
      '1 created',
      '2 set',
      '3 updated',
      '4 deleted',
      '5 created',
    ]);
    expect(versions.map((one) => one?.revision)).toEqual([1, 2, 3, 4, 5]);
  });

  it('are refused with a code that says why', () => {
    const state = makeState();
    state.create('doc.1', 1);

    expect({
      twice: refusal(() => state.create('doc.1', 2)),
      missing: refusal(() => state.update('doc.2', () => 1)),
      stale: refusal(() => state.compareAndSet('doc.1', 2, 3)),
      claimed: refusal(() => state.compareAndSet('doc.1', 0, 3)),
      'stale delete': refusal(() => state.delete('doc.1', { expectedVersion: 4 })),
      'no version': refusal(() => state.compareAndSet('doc.1', 0.5, 3)),
      'undefined made': refusal(() => state.update('doc.1', () => undefined)),
      'promise made': refusal(() => state.update('doc.1', async () => 3)),
      'a blank': refusal(() => state.set('doc 1', 3)),
      'no JSON': refusal(() => state.set('doc.1', Number.NaN)),
    }).toEqual({
      twice: 'TELLASK_STATE_EXISTS',
      missing: 'TELLASK_STATE_NOT_FOUND',
      stale: 'TELLASK_STATE_CONFLICT',
      claimed: 'TELLASK_STATE_CONFLICT',
      'stale delete': 'TELLASK_STATE_CONFLICT',
      'no version': 'TypeError',
      'undefined made': 'TypeError',
      'promise made': 'TypeError',
      'a blank': 'TELLASK_INVALID_TOPIC',
      'no JSON': 'TELLASK_STATE_VALUE',
    });
    expect(state.get('doc.1')?.version).toBe(1);
  });

  it('let one of many claimants win', () => {
    const state = makeState();
    const claims = Array.from({ length: 10 }, (_, i) =>
      refusal(() => state.as(`agent-${i}`).compareAndSet('task.1', 0, { by: i })),
    );

    expect(claims.filter((claim) => claim === 'nothing was thrown')).toHaveLength(1);
    expect(state.get('task.1')?.actor).toBe('agent-0');
  });

  it('do nothing when an update gives back the same reference', () => {
    const state = makeState();
    state.set('doc.1', { n: 1 });

    const entry = state.update('doc.1', (doc) => doc);

    expect(entry.version).toBe(1);
  });

  it('begin with the initial value where there is none', () => {
    const state = makeState();

    state.update('count', (n) => (n as number) + 1, { initial: 0 });
    const entry = state.update('count', (n) => (n as number) + 1, { initial: 0 });

    expect(entry.value).toBe(2);
  });

  it('refuse an update whose function writes the same key', () => {
    const state = makeState();
    state.set('doc.1', 1);

    const outer = refusal(() => state.update('doc.1', () => state.set('doc.1', 2).version));

    expect(outer).toBe('TELLASK_STATE_CONFLICT');
    expect(state.get('doc.1')?.value).toBe(2);
  });

  it('list what fits in the order of the keys', () => {
    const state = makeState();
    for (const key of ['doc.b', 'doc.a', 'other', 'doc.c']) state.set(key, 1);
    state.delete('doc.c');

    expect(state.list('doc.*').map(({ key }) => key)).toEqual(['doc.a', 'doc.b']);
    expect(state.list('**', { after: 'doc.a', limit: 1 }).map(({ key }) => key)).toEqual(['doc.b']);
  });

  // R:K1
  it('give out what nobody can change', () => {
    const state = makeState();
    const given = { tags: ['a'] };
    state.set('doc.1', given);
    given.tags.push('b');

    const tags = (state.get('doc.1') as StateEntry<typeof given>).value.tags;

    expect(tags).toEqual(['a']);
    expect(() => tags.push('c')).toThrow(TypeError);
  });
});
