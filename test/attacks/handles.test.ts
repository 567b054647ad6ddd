// R:E4 R:E5
import { describe, expect, it } from 'vitest';
import { Agent, type Restriction, StateManager } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { outcomeOf } from '../flow/books.ts';

interface Verb {
  readonly call: (agent: Agent) => unknown;
  /** What a handle that may do nothing is told; `free` says why nothing is refused. */
  readonly restricted: 'TELLASK_DENIED' | { readonly free: string };
  /** What a revoked handle is told. */
  readonly revoked: 'TELLASK_REVOKED' | { readonly free: string };
  /** What the handle that `register` gave is told, when that is another thing. */
  readonly own?: { readonly free: string };
}

const hear = (): void => {};
const refused = { restricted: 'TELLASK_DENIED', revoked: 'TELLASK_REVOKED' } as const;
const told = { free: 'it says what the agent is, and changes nothing' };
const unnamed = { free: 'no restriction names it' };

/** Every member of a handle: one that is new has to be entered, with what it refuses. */
const MEMBERS: Readonly<Record<string, Verb>> = {
  publish: { call: (agent) => agent.publish('secret.x', 1), ...refused },
  send: { call: (agent) => agent.send('other', 'secret.x', 1), ...refused },
  broadcast: { call: (agent) => agent.broadcast(['other'], 'secret.x', 1), ...refused },
  request: { call: (agent) => agent.request('secret.ask', 1), ...refused },
  gather: { call: (agent) => agent.gather('secret.ask', 1), ...refused },
  stream: { call: (agent) => agent.stream('secret.ask', 1).result, ...refused },
  subscribe: { call: (agent) => agent.subscribe('secret.x', hear), ...refused },
  serve: { call: (agent) => agent.serve('secret.x', hear), ...refused },
  subscribeBatch: { call: (agent) => agent.subscribeBatch('secret.x', hear), ...refused },
  serveBatch: { call: (agent) => agent.serveBatch('secret.x', () => []), ...refused },
  messages: { call: (agent) => agent.messages('secret.x'), ...refused },
  state: { call: (agent) => agent.state.set('secret.x', 1), ...refused },
  receive: {
    call: async (agent) => {
      const message = await agent.receive({ timeoutMs: 0 });
      if (message !== undefined) throw new Error('It has read what is not for it');
    },
    restricted: { free: 'it waits, and gets nothing that it may not hear' },
    revoked: 'TELLASK_REVOKED',
  },
  restrict: {
    call: (agent) => agent.restrict({}).publish('secret.x', 1),
    ...refused,
  },
  pause: { call: (agent) => agent.pause(), restricted: unnamed, revoked: 'TELLASK_REVOKED' },
  resume: { call: (agent) => agent.resume(), restricted: unnamed, revoked: 'TELLASK_REVOKED' },
  restart: { call: (agent) => agent.restart(), restricted: unnamed, revoked: 'TELLASK_REVOKED' },
  leave: {
    call: (agent) => agent.leave(),
    restricted: unnamed,
    revoked: 'TELLASK_REVOKED',
    own: { free: 'whoever has registered an agent can end it' },
  },
  revoke: {
    call: (agent) => agent.revoke(),
    restricted: { free: 'it ends itself' },
    revoked: { free: 'it has ended' },
  },
  name: { call: (agent) => agent.name, restricted: told, revoked: told },
  capabilities: { call: (agent) => agent.capabilities, restricted: told, revoked: told },
  inspect: { call: (agent) => agent.inspect(), restricted: told, revoked: told },
  log: {
    call: (agent) => agent.log.info('hello'),
    restricted: { free: 'who is refused may say so' },
    revoked: { free: 'who is revoked may say so' },
  },
};

/** Nothing is left of it. */
const NOTHING: Required<Restriction> = {
  publish: [],
  send: [],
  request: [],
  subscribe: [],
  serve: [],
  read: [],
  write: [],
};

function scene() {
  const t = createTestBus({ unheard: 'count', state: new StateManager() });
  const heard: string[] = [];
  const other = t.bus.register('other');
  other.subscribe('**', ({ topic }) => void heard.push(topic));
  other.serve('secret.ask', () => void heard.push('secret.ask'));
  const agent = t.bus.register('agent', { start: hear });
  t.bus.send('agent', 'secret.mail', 1);
  return { t, heard, agent };
}

/** The code of what a call throws or rejects with, or what else it threw. */
async function codeOf(t: { settle(): Promise<unknown> }, call: () => unknown): Promise<unknown> {
  const outcome = outcomeOf((async () => call())());
  await t.settle();
  const { error } = outcome.now() as { error?: { code?: unknown } };
  return error === undefined ? undefined : (error.code ?? error);
}

describe('a handle', () => {
  it('has no member that is not tried here', () => {
    const members = Object.getOwnPropertyNames(Agent.prototype).filter(
      (name) => name !== 'constructor',
    );

    expect(members.toSorted()).toEqual(Object.keys(MEMBERS).toSorted());
  });

  it.each(Object.entries(MEMBERS))('that is left with nothing: %s', async (_name, verb) => {
    const { t, heard, agent } = scene();
    const denied: unknown[] = [];
    t.bus.events.on('denied', (refusal) => void denied.push(refusal.agent));

    const code = await codeOf(t, () => verb.call(agent.restrict(NOTHING)));

    const expected = verb.restricted === 'TELLASK_DENIED' ? verb.restricted : undefined;
    expect(code).toBe(expected);
    expect(denied).toEqual(expected === undefined ? [] : ['agent']);
    expect(heard).toEqual([]);
    expect(t.bus.state.get('secret.x')).toBeUndefined();
  });

  it.each(Object.entries(MEMBERS))('that is revoked: %s', async (_name, verb) => {
    const { t, heard, agent } = scene();
    const lent = agent.restrict({}).restrict({});
    agent.revoke();

    const codes = [await codeOf(t, () => verb.call(agent)), await codeOf(t, () => verb.call(lent))];

    const expected = verb.revoked === 'TELLASK_REVOKED' ? verb.revoked : undefined;
    expect(codes).toEqual([verb.own === undefined ? expected : undefined, expected]);
    expect(heard).toEqual([]);
  });

  it.each(Object.entries(MEMBERS))(
    'under permissions that allow nothing: %s',
    async (name, verb) => {
      const t = createTestBus({
        unheard: 'count',
        state: new StateManager(),
        permissions: { default: 'deny' },
      });
      t.bus.register('other');
      const agent = t.bus.register('agent', { start: hear });

      const code = await codeOf(t, () => verb.call(agent));

      expect(code, name).toBe(verb.restricted === 'TELLASK_DENIED' ? 'TELLASK_DENIED' : undefined);
    },
  );
});

describe('what is left of a restricted handle', () => {
  it.each([
    '**',
    '*',
    '*.x',
    'secret.*',
    '{open,secret}.*',
    'open.{a,b}',
    '{area}.x',
    '!(open).x',
    '[a-z]*.x',
    's?cret.x',
    'open\\.*',
    'open.**',
    'open.*.x',
  ])('does not grow by the pattern %s', (pattern) => {
    const { agent } = scene();
    const less = agent.restrict({ subscribe: ['open.*'], serve: ['open.*'] });

    for (const listen of [
      () => less.subscribe(pattern, hear),
      () => less.serve(pattern, hear),
      () => less.messages(pattern),
      () => less.subscribeBatch(pattern, hear),
      () => less.subscribe(pattern, hear, { group: 'crew', replay: false }),
    ]) {
      expect(listen).toThrow();
    }
  });

  it('does not grow by what its agent was sent: it pulls what it may hear, and leaves the rest', async () => {
    const { t, agent } = scene();
    const less = agent.restrict({ subscribe: ['open.*'] });
    t.bus.send('agent', 'open.mail', 1);
    t.bus.send('agent', 'secret.more', 1);

    const got = [less.receive({ timeoutMs: 10 }), less.receive({ timeoutMs: 10 })].map(outcomeOf);
    await t.clock.advance(20);
    const rest = [agent.receive(), agent.receive()].map(outcomeOf);
    await t.settle();

    expect(got[0]?.now()).toMatchObject({ value: { topic: 'open.mail' } });
    expect(got[1]?.now()).toEqual({ value: undefined });
    expect(rest.map((one) => one.now())).toMatchObject([
      { value: { topic: 'secret.mail' } },
      { value: { topic: 'secret.more' } },
    ]);
  });

  it('does not grow in handlers, in transactions or in the state', async () => {
    const { t, agent } = scene();
    const codes: unknown[] = [];
    const tried = (call: () => unknown): Promise<unknown> =>
      (async () => call())().catch(({ code }: { code: unknown }) => code);
    const less = agent.restrict({ publish: [], subscribe: ['open.*'], read: ['open'], write: [] });
    t.bus.state.set('open', 1);
    t.bus.state.set('secret', 1);
    less.subscribe('open.*', async (_message, context) => {
      const { state } = context;
      codes.push(await tried(() => context.publish('secret.x', 1)));
      codes.push(await tried(() => state.get('secret')));
      codes.push(await tried(() => state.set('open', 2)));
      codes.push(await tried(() => state.transaction(async (tx) => void tx.set('open', 2))));
      codes.push(
        await tried(() => state.transaction(async (tx) => void tx.publish('secret.x', 1))),
      );
      codes.push(state.list('**').map(({ key }) => key));
    });

    t.bus.publish('open.x', 1);
    await t.settle();

    const no = 'TELLASK_DENIED';
    expect(codes).toEqual([no, no, no, no, no, ['open']]);
  });
});
