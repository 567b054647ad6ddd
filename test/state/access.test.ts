import { describe, expect, it } from 'vitest';
import { type StateAccessRules, StateManager, type StateView } from '../../src/index.ts';

const state = () => {
  const access: StateAccessRules = {
    default: 'deny',
    rules: [
      { effect: 'allow', agents: ['writer', 'editor'] },
      { effect: 'allow', agents: 'reader', actions: 'read' },
      { effect: 'allow', agents: 'sensor', actions: 'write' },
      { effect: 'deny', on: 'secret.**' },
    ],
  };
  const made = new StateManager({ access });
  made.set('doc.7', 'old');
  made.set('secret.7', 'key');
  return made;
};

/** What the operations show or change, and whether they may. */
const OPERATIONS: readonly (readonly [
  string,
  (view: StateView, key: string) => unknown,
  string,
])[] = [
  ['get', (view, key) => view.get(key), 'read'],
  ['has', (view, key) => view.has(key), 'read'],
  ['history', (view, key) => view.history(key), 'read'],
  ['getVersion', (view, key) => view.getVersion(key, 1), 'read'],
  ['diff', (view, key) => view.diff(key, 1, 1), 'read'],
  ['set', (view, key) => view.set(key, 1), 'write'],
  ['delete', (view, key) => view.delete(key), 'write'],
  ['delete of a version', (view, key) => view.delete(key, { expectedVersion: 1 }), 'both'],
  ['create', (view, key) => view.create(`${key}.new`, 1), 'both'],
  ['compareAndSet', (view, key) => view.compareAndSet(key, 1, 1), 'both'],
  ['update', (view, key) => view.update(key, () => 1), 'both'],
  ['revert', (view, key) => view.revert(key, 1), 'both'],
];

const ACTORS = { writer: ['read', 'write', 'both'], reader: ['read'], sensor: ['write'] } as const;

describe('the access rules of the state', () => {
  // R:K8 R:E5
  it.each(
    OPERATIONS.flatMap(([name, call, needs]) =>
      Object.entries(ACTORS).map(([actor, may]) => ({ name, call, actor, needs, may })),
    ),
  )('$actor, who may $may, calls $name, which needs $needs', ({ call, actor, needs, may }) => {
    const shared = state();
    const revision = shared.set('count', 1).revision;

    const attempt = () => call(shared.as(actor), 'doc.7');

    if ((may as readonly string[]).includes(needs)) expect(attempt).not.toThrow();
    else {
      expect(attempt).toThrow(expect.objectContaining({ code: 'TELLASK_DENIED', agent: actor }));
      expect(shared.set('count', 2).revision).toBe(revision + 1);
    }
  });

  it('leave out of a list what may not be read', () => {
    const shared = state();

    expect(
      shared
        .as('reader')
        .list()
        .map(({ key }) => key),
    ).toEqual(['doc.7']);
    expect(shared.as('sensor').list()).toEqual([]);
    expect(shared.list().map(({ key }) => key)).toEqual(['doc.7', 'secret.7']);
  });

  it('ask for locks what they ask for writes', async () => {
    const shared = state();

    await expect(shared.as('reader').lock('doc.7')).rejects.toThrow('reader may not write doc.7');
    await expect(shared.as('reader').lockAll(['doc.7'])).rejects.toThrow('may not write');
    (await shared.as('sensor').lock('doc.7')).release();
  });

  it('hold inside of a transaction', async () => {
    const reader = state().as('reader');

    await reader.transaction((tx) => expect(tx.list().map(({ key }) => key)).toEqual(['doc.7']));
    await expect(reader.transaction((tx) => tx.set('doc.7', 1))).rejects.toThrow('may not write');
  });

  it('do not bind the host, and name the rule that decides', () => {
    const { access } = state();

    expect(access.explain('$host', 'write', 'secret.7')).toEqual({
      allowed: true,
      rule: undefined,
    });
    expect(access.explain('writer', 'read', 'secret.7')).toEqual({ allowed: false, rule: 3 });
    expect(access.explain('nobody', 'read', 'doc.7')).toEqual({ allowed: false, rule: undefined });
    expect(() => access.explain('writer', 'delete' as never, 'doc.7')).toThrow(TypeError);
  });

  it('hold at once when they are changed, and stay when the new ones are wrong', () => {
    const shared = state();
    const reader = shared.as('reader');
    reader.get('doc.7');

    expect(() => shared.access.set({ default: 'perhaps' } as never)).toThrow(TypeError);
    expect(reader.get('doc.7')?.value).toBe('old');
    shared.access.set({ default: 'deny' });
    expect(() => reader.get('doc.7')).toThrow('refused by the default of the access rules');
    shared.access.set(undefined);
    expect(reader.get('secret.7')?.value).toBe('key');
  });

  it('tell of every refusal, whatever becomes of who listens', () => {
    const shared = state();
    const heard: string[] = [];
    shared.access.onDenied(() => {
      throw new Error('a listener breaks');
    });
    shared.access.onDenied(() => Promise.reject(new Error('a listener rejects')));
    const stop = shared.access.onDenied(({ target, rule }) => heard.push(`${target} ${rule}`));

    expect(() => shared.as('writer').get('secret.7')).toThrow('writer may not read secret.7');
    stop();
    expect(() => shared.as('writer').get('secret.7')).toThrow('access rule 3');

    expect(heard).toEqual(['secret.7 3']);
    expect(() => shared.access.onDenied(null as never)).toThrow(TypeError);
  });
});
