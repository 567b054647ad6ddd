import { describe, expect, it } from 'vitest';
import {
  type BusOptions,
  type DeniedError,
  MessageBus,
  type PermissionOptions,
  retry,
  StateManager,
} from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { type EnvName, makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, gate, outcomeOf } from './books.ts';

const OFFICE: PermissionOptions = {
  default: 'deny',
  rules: [
    { effect: 'allow', agents: 'writer', actions: 'publish', on: 'report.**' },
    { effect: 'allow', agents: 'writer', actions: ['send', 'request'] },
    {
      effect: 'allow',
      agents: ['editor', 'clerk'],
      actions: ['subscribe', 'serve'],
      on: 'report.*',
    },
    { effect: 'deny', agents: 'clerk', on: 'report.secret' },
  ],
};

/** A bus with permissions, whose refusals are told. */
function office(env: EnvName, permissions = OFFICE, options: BusOptions = {}) {
  const made = makeBus(env, { ...options, permissions });
  const denied: string[] = [];
  const tell = ({ agent, action, target, rule }: DeniedError): void =>
    void denied.push(`${agent} ${action} ${target} ${rule}`);
  made.bus.events.on('denied', tell);
  return { ...made, denied };
}

describe.each(['real', 'simulated'] as const)('permissions, on the %s Env', (env) => {
  // R:E5
  it('say who may publish what; a refusal is an error, a letter, a count and an event', () => {
    const { bus, denied } = office(env);
    const writer = bus.register('writer');
    const editor = bus.register('editor');

    writer.publish('report.7.drafted', 1);

    expect(codeOf(() => writer.publish('invoice', 1))).toBe('TELLASK_DENIED');
    expect(codeOf(() => editor.publish('report.7', 1, { priority: 'high' }))).toBe(
      'TELLASK_DENIED',
    );
    expect(denied).toEqual([
      'writer publish invoice undefined',
      'editor publish report.7 undefined',
    ]);
    expect(bus.inspect()).toMatchObject({ refused: 2, denied: 2, admitted: 0 });
    expect(bus.deadLetters.list({ reason: 'denied', refused: true })).toMatchObject([
      { message: { topic: 'invoice', from: 'writer' } },
      { message: { topic: 'report.7', from: 'editor' } },
    ]);
  });

  // R:E5
  it('say who may send, request, stream and gather, in whatever way it is said', async () => {
    const { bus, settle, denied } = office(env);
    bus.register('clerk').serve('report.count', () => 1);
    const editor = bus.register('editor');
    const failed = [
      outcomeOf(editor.request('report.count', 1)),
      outcomeOf(editor.gather('report.count', 1)),
      outcomeOf(editor.stream('report.count', 1).result),
    ];
    await settle();

    expect(codeOf(() => editor.send('clerk', 'report.count', 1))).toBe('TELLASK_DENIED');
    expect(codeOf(() => editor.broadcast(['clerk'], 'report.count', 1))).toBe('TELLASK_DENIED');
    for (const one of failed)
      expect(one.now()).toMatchObject({ error: { code: 'TELLASK_DENIED' } });
    expect(denied.map((one) => one.split(' ')[1])).toEqual([
      'request',
      'request',
      'request',
      'send',
      'send',
    ]);
    const asked = outcomeOf(bus.register('writer').request('report.count', 1));
    await settle();
    expect(asked.now()).toEqual({ value: 1 });
  });

  // R:E5
  it('bind what a handler says on its context, and what a transaction says', async () => {
    const { bus, settle } = office(env, OFFICE, { state: new StateManager() });
    const codes: unknown[] = [];
    bus.register('editor').subscribe('report.*', async (_message, context) => {
      codes.push(codeOf(() => context.publish('report.edited', 1)));
      codes.push(codeOf(() => context.send('editor', 'report.edited', 1)));
      const asked = context.request('report.count', 1);
      codes.push(await asked.catch(({ code }: DeniedError) => code));
    });
    const writer = bus.register('writer');
    const said = outcomeOf(writer.state.transaction(async (tx) => void tx.publish('invoice', 1)));

    bus.publish('report.7', 1);
    await settle();

    expect(codes).toEqual(['TELLASK_DENIED', 'TELLASK_DENIED', 'TELLASK_DENIED']);
    expect(said.now()).toMatchObject({ error: { code: 'TELLASK_DENIED' } });
  });

  // R:E5
  it('filter what a wildcard hears, delivery by delivery', async () => {
    const { bus, settle } = office(env);
    const log: string[] = [];
    for (const name of ['editor', 'clerk']) {
      bus.register(name).subscribe('**', ({ topic }) => void log.push(`${name} ${topic}`));
    }

    for (const topic of ['report.7', 'report.secret', 'report.7.drafted', 'invoice']) {
      bus.publish(topic, 1);
    }
    await settle();

    expect(log.toSorted()).toEqual(['clerk report.7', 'editor report.7', 'editor report.secret']);
    expect(bus.explain('report.secret')).toMatchObject({
      recipients: [{ owner: 'editor' }],
      excluded: [{ owner: 'clerk', because: 'denied' }],
    });
    expectBalanced(bus);
  });

  // R:E5
  it('refuse a subscription that could hear nothing, and no other', () => {
    const { bus, denied } = office(env);
    const clerk = bus.register('clerk');
    const nobody = bus.register('nobody');
    const hear = (): void => {};

    expect(clerk.subscribe('report.{secret,7}', hear).active).toBe(true);
    expect(clerk.serve('report.{id}', hear).active).toBe(true);
    expect(codeOf(() => clerk.subscribe('report.secret', hear))).toBe('TELLASK_DENIED');
    expect(codeOf(() => clerk.serve('invoice', hear))).toBe('TELLASK_DENIED');
    expect(codeOf(() => clerk.messages('report.secret'))).toBe('TELLASK_DENIED');
    expect(codeOf(() => clerk.subscribeBatch('invoice', hear))).toBe('TELLASK_DENIED');
    expect(codeOf(() => nobody.subscribe('**', hear))).toBe('TELLASK_DENIED');
    expect(denied.map((one) => one.split(' ').slice(1).join(' '))).toEqual([
      'subscribe report.secret 3',
      'serve invoice undefined',
      'subscribe report.secret 3',
      'subscribe invoice undefined',
      'subscribe ** undefined',
    ]);
  });

  // R:E5
  it('hold for what is sent to one agent as well: its recipient has to be allowed to hear it', async () => {
    const { bus, settle } = office(env);
    const log: string[] = [];
    bus.register('clerk').subscribe('**', ({ topic }) => void log.push(topic));
    const writer = bus.register('writer');

    writer.send('clerk', 'report.7', 1);
    expect(() => writer.send('clerk', 'report.secret', 1)).toThrow(
      expect.objectContaining({ code: 'TELLASK_DENIED', agent: 'clerk', rule: 3 }),
    );
    const { recipients } = bus.broadcast(['clerk'], 'report.secret', 1);
    await settle();

    expect(log).toEqual(['report.7']);
    expect(recipients[0]).toMatchObject({ to: 'clerk', error: { code: 'TELLASK_DENIED' } });
  });

  // R:E5
  it('ask nobody who may not serve the topic, however far its pattern reaches', async () => {
    const { bus, settle } = office(env);
    const writer = bus.register('writer');
    bus.register('clerk').serve('report.*', () => 'clerk');

    const secret = outcomeOf(writer.request('report.secret', 1));
    const plain = outcomeOf(writer.request('report.7', 1));
    await settle();
    bus.register('editor').serve('report.*', () => 'editor');
    const all = outcomeOf(writer.gather('report.secret', 1));
    await settle();

    expect(secret.now()).toMatchObject({ error: { code: 'TELLASK_NO_RESPONDER' } });
    expect(plain.now()).toEqual({ value: 'clerk' });
    expect(all.now()).toMatchObject({ value: { ok: [{ from: 'editor' }] } });
  });

  it('let the host do everything that no rule forbids it by name', () => {
    const { bus } = office(env, { default: 'deny', rules: [{ effect: 'deny', on: 'a' }] });
    const named = office(env, {
      default: 'allow',
      rules: [
        { effect: 'deny', agents: '$host', on: 'a' },
        { effect: 'deny', agents: '$host', actions: 'tap', on: 'secret.**' },
      ],
    });

    expect(codeOf(() => bus.publish('a', 1))).toBeUndefined();
    expect(bus.subscribe('**', () => {}).active).toBe(true);
    expect(codeOf(() => named.bus.publish('a', 1))).toBe('TELLASK_DENIED');
    expect(codeOf(() => named.bus.tap('a', () => {}))).toBe('TELLASK_DENIED');
    expect(codeOf(() => named.bus.publish('secret.x', 1))).toBeUndefined();
  });

  it('keep from a tap what the host may not watch', async () => {
    const rules = [{ effect: 'deny', agents: '$host', actions: 'tap', on: 'secret.**' }] as const;
    const { bus, settle } = office(env, { default: 'allow', rules });
    const seen: string[] = [];
    bus.tap('**', ({ topic }) => void seen.push(topic));

    bus.publish('secret.x', 1);
    bus.publish('open', 1);
    await settle();

    expect(seen).toEqual(['open']);
  });

  // R:E5
  it('bind the state views of the bus, beside the rules of the state: either deny wins', () => {
    const access = {
      default: 'allow',
      rules: [{ effect: 'deny', agents: 'writer', on: 'theirs.*' }],
    } as const;
    const state = new StateManager({ access });
    const rules = [{ effect: 'deny', agents: 'writer', actions: 'write', on: 'doc.*' }] as const;
    const { bus, denied } = office(env, { default: 'allow', rules }, { state });
    state.set('doc.7', 'old');
    const { state: view } = bus.register('writer');

    expect(view.get('doc.7')?.value).toBe('old');
    expect(codeOf(() => view.set('doc.7', 'new'))).toBe('TELLASK_DENIED');
    expect(codeOf(() => view.set('theirs.7', 'new'))).toBe('TELLASK_DENIED');
    expect(view.set('mine.7', 'new').version).toBe(1);
    expect(denied).toEqual(['writer write doc.7 0']);
    bus.permissions.set({ default: 'allow', rules: [{ effect: 'deny', actions: 'read' }] });
    expect(view.list('**')).toEqual([]);
    expect(codeOf(() => view.get('mine.7'))).toBe('TELLASK_DENIED');
    expect(bus.state.get('mine.7')?.value).toBe('new');
  });

  it('explain which rule decides', () => {
    const { bus } = office(env);

    expect(bus.permissions.explain('clerk', 'subscribe', 'report.secret')).toEqual({
      allowed: false,
      rule: 3,
      by: 'rule',
    });
    expect(bus.permissions.explain('nobody', 'publish', 'x')).toMatchObject({ by: 'default' });
    expect(bus.permissions.explain('$host', 'publish', 'x')).toMatchObject({ by: 'host' });
    expect(bus.permissions.rules[3]).toEqual({
      effect: 'deny',
      agents: 'clerk',
      on: 'report.secret',
    });
    expect(() => bus.permissions.explain('a', 'fly' as never, 'x')).toThrow(TypeError);
    expect(() => makeBus(env).bus.permissions).toThrow(TypeError);
  });

  it('are read once: what becomes of the objects that were given changes nothing', () => {
    const on = ['a'];
    const rules = [{ effect: 'deny' as const, on }];
    const { bus } = office(env, { default: 'allow', rules });
    const agent = bus.register('agent');

    on.push('b');
    rules.pop();

    expect(codeOf(() => agent.publish('a', 1))).toBe('TELLASK_DENIED');
    expect(codeOf(() => agent.publish('b', 1))).toBeUndefined();
    expect(bus.permissions.rules).toEqual([{ effect: 'deny', on: ['a'] }]);
  });
});

describe.each(['real', 'simulated'] as const)('new permissions, on the %s Env', (env) => {
  const all: PermissionOptions = { default: 'allow' };
  const deny = (agents: string, actions: 'subscribe' | 'serve' | 'request' | 'publish') =>
    ({ effect: 'deny', agents, actions, on: 'job.**' }) as const;

  // R:E5
  it('reach what is queued: it is a dead letter at once, and the rest goes on', async () => {
    const { bus, settle } = office(env, all);
    const log: string[] = [];
    const slow = gate();
    const worker = bus.register('worker', { capacity: 3, overflow: 'wait' });
    worker.subscribe('**', async ({ topic }) => {
      log.push(topic);
      await slow.opened;
    });
    const topics = ['open.0', 'job.1', 'open.1', 'job.2', 'open.2', 'job.3'];
    for (const topic of topics) bus.publish(topic, 1);
    await settle();

    bus.permissions.add(deny('worker', 'subscribe'));
    const letters = bus.deadLetters.list({ reason: 'denied' });
    slow.open();
    await settle();

    expect(letters.map(({ message, refused }) => [message.topic, refused])).toEqual([
      ['job.1', false],
      ['job.2', false],
      ['job.3', false],
    ]);
    expect(log).toEqual(['open.0', 'open.1', 'open.2']);
    expect(bus.inspect()).toMatchObject({ handled: 3, deadLettered: 3, queued: 0, waiting: 0 });
    expectBalanced(bus);
  });

  it('reach what waits for a retry, behind a key, in a batch, in a group and in an inbox', async () => {
    const { bus, settle } = office(env, all);
    let calls = 0;
    const fail = (): void => {
      calls++;
      throw new Error('No');
    };
    const retry = { maxAttempts: 3, baseMs: 60_000, jitter: 'none' } as const;
    bus.register('retries').subscribe('job.*', fail, { retry });
    const slow = gate();
    const keyed = () => slow.opened;
    bus.register('keyed', { concurrency: 2 }).subscribe('job.*', keyed, { key: () => 1 });
    const batched: unknown[] = [];
    const batch = { max: 10, waitMs: 60_000 };
    bus.register('batch').subscribeBatch('job.*', (some) => void batched.push(some), { batch });
    const member = bus.register('member');
    member.subscribe('job.*', () => void calls++, { group: 'shared' });
    member.pause();
    const pulled = bus.register('puller').messages('job.*');
    bus.publish('job.1', 1);
    bus.publish('job.2', 1);
    await settle();

    bus.permissions.set({ default: 'allow', rules: [{ effect: 'deny', on: 'job.**' }] });

    expect(bus.inspect()).toMatchObject({ retryWait: 0, queued: 0, inFlight: 1, deadLettered: 9 });
    slow.open();
    await settle();
    member.resume();
    await settle();
    expect(bus.inspect()).toMatchObject({ handled: 1, deadLettered: 9 });
    expect([calls, batched]).toEqual([2, []]);
    expectBalanced(bus);
    await pulled.return?.();
  });

  // R:E5
  it('end open requests and streams of who may not ask, or answer, any more', async () => {
    const { bus, settle } = office(env, all);
    const reasons: unknown[] = [];
    const asker = bus.register('asker');
    bus
      .register('server', { concurrency: 2 })
      .serve('job.{id}', async function* (request, { signal }) {
        signal.addEventListener('abort', () => reasons.push(request.topic));
        yield 1;
        await new Promise(() => {});
      });
    const chunks: unknown[] = [];
    const stream = asker.stream('job.1', 1);
    const read = outcomeOf(
      (async () => {
        for await (const chunk of stream) chunks.push(chunk);
      })(),
    );
    const other = outcomeOf(bus.stream('job.2', 1).result);
    await settle();

    bus.permissions.add(deny('asker', 'request'));
    await settle();
    expect(read.now()).toMatchObject({ error: { code: 'TELLASK_DENIED', agent: 'asker' } });
    expect(other.now()).toBe('pending');
    bus.permissions.add(deny('server', 'serve'));
    await settle();

    expect(other.now()).toMatchObject({ error: { code: 'TELLASK_DENIED', agent: 'server' } });
    expect(chunks).toEqual([1]);
    expect(reasons).toEqual(['job.1', 'job.2']);
    expectBalanced(bus);
  });

  it('reject the asker of a queued request with the refusal', async () => {
    const { bus, settle } = office(env, all);
    const server = bus.register('server');
    server.serve('job.x', () => 1);
    server.pause();
    const asked = outcomeOf(bus.request('job.x', 1));
    await settle();

    bus.permissions.add(deny('server', 'serve'));
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_DENIED', agent: 'server' } });
    expect(bus.deadLetters.list({ reason: 'denied' })).toHaveLength(1);
    expectBalanced(bus);
  });

  it('hold for the next attempt of a call, and for its fallback', async () => {
    const { bus, settle } = office(env, all);
    const attempts = { server: 0, other: 0 };
    bus.register('other').serve('job.x', () => void attempts.other++);
    bus.permissions.add(deny('other', 'serve'));
    bus.register('server').serve('job.x', () => {
      attempts.server++;
      bus.permissions.add(deny(attempts.server === 1 ? 'asker' : 'server', 'serve'));
      bus.permissions.add(deny('asker', 'request'));
      throw new Error('Not now');
    });
    const asker = bus.register('asker');
    const policy = retry({ maxAttempts: 3, baseMs: 0, jitter: 'none' });

    const asked = outcomeOf(asker.request('job.x', 1, { policy }));
    await settle();
    const again = outcomeOf(bus.request('job.x', 1, { policy, fallback: ['other'] }));
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_DENIED' } });
    expect(again.now()).toMatchObject({ error: { code: 'TELLASK_FALLBACK' } });
    expect(attempts).toEqual({ server: 2, other: 0 });
    expectBalanced(bus);
  });

  it('hold for who waits for his next message, and let others of his mailbox through', async () => {
    const { bus, settle } = office(env, all);
    const agent = bus.register('agent');
    const taken = [agent.receive(), agent.receive({ where: () => true })].map(outcomeOf);
    bus.send('agent', 'job.1', 1);
    bus.send('agent', 'open.1', 1);
    bus.send('agent', 'open.2', 1);

    bus.permissions.add(deny('agent', 'subscribe'));
    await settle();

    const topics = taken.map((one) => (one.now() as { value: { topic: string } }).value.topic);
    expect(topics.toSorted()).toEqual(['open.1', 'open.2']);
    expect(bus.deadLetters.list({ reason: 'denied' })).toHaveLength(1);
    expectBalanced(bus);
  });

  // R:E5
  it('hold for retained values that are replayed', async () => {
    const { bus, settle } = office(env, all);
    const log: string[] = [];
    bus.publish('job.1', 1, { retain: true });
    bus.publish('open', 1, { retain: true });
    const agent = bus.register('agent');

    bus.permissions.add(deny('agent', 'subscribe'));
    agent.subscribe('**', ({ topic }) => void log.push(topic), { replay: true });
    await settle();

    expect(log).toEqual(['open']);
  });

  it('hold for redriven letters: for who says it as for who gets it', async () => {
    const { bus, settle } = office(env, all);
    const worker = bus.register('worker');
    worker.subscribe('job.*', () => {
      throw new Error('No');
    });
    const writer = bus.register('writer');
    writer.publish('job.1', 1);
    await settle();

    const lift = bus.permissions.add(deny('worker', 'subscribe'));
    const deaf = await bus.deadLetters.redrive();
    lift();
    const restore = bus.permissions.add(deny('writer', 'publish'));
    const dumb = await bus.deadLetters.redrive();
    restore();
    const sent = await bus.deadLetters.redrive();
    await settle();

    expect(deaf).toMatchObject({ redriven: [], skipped: [{ why: 'refused' }] });
    expect(dumb.skipped[0]?.error).toMatchObject({ agent: 'writer', action: 'publish' });
    expect(sent.redriven).toHaveLength(1);
    expectBalanced(bus);
  });

  it('let in at once who may from now on: listeners, responders, and those who wait for them', async () => {
    const { bus, settle } = office(env, { default: 'deny' });
    const log: string[] = [];
    bus.permissions.set({ default: 'allow' });
    const agent = bus.register('agent');
    agent.subscribe('job.*', ({ topic }) => void log.push(topic));
    agent.serve('job.ask', () => 'here');
    bus.permissions.set({ default: 'deny' });
    bus.publish('job.1', 1);
    const waits = outcomeOf(bus.request('job.ask', 1, { waitForMs: 60_000, timeoutMs: 60_000 }));
    await settle();
    expect(log).toEqual([]);

    bus.permissions.add({ effect: 'allow', agents: 'agent' });
    bus.publish('job.2', 1);
    await settle();

    expect(log).toEqual(['job.2']);
    expect(waits.now()).toEqual({ value: 'here' });
  });

  it('hold for a listener that changes them while a message is on its way', async () => {
    const { bus, settle } = office(env, all);
    const log: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      bus.register(name).subscribe('job.*', () => void log.push(name));
    }
    bus.events.once('admitted', () => void bus.permissions.add(deny('b', 'subscribe')));
    bus.publish('job.1', 1);
    await settle();
    bus.events.once('started', () => void bus.permissions.add(deny('{a,c}', 'subscribe')));
    bus.publish('job.2', 1);
    await settle();

    expect(log).toEqual(['a', 'c']);
    expect(bus.inspect()).toMatchObject({ handled: 2, deadLettered: 3, inFlight: 0 });
    expectBalanced(bus);
  });

  it('are taken back one by one, and only once', () => {
    const { bus } = office(env, { default: 'deny' });
    const grant = { effect: 'allow', agents: 'a', on: 'x' } as const;
    const may = () => bus.permissions.explain('a', 'publish', 'x').allowed;

    const [first, second] = [bus.permissions.add(grant), bus.permissions.add(grant)];
    first();
    first();
    expect([may(), bus.permissions.rules.length]).toEqual([true, 1]);
    second();

    expect([may(), bus.permissions.rules.length, bus.permissions.default]).toEqual([
      false,
      0,
      'deny',
    ]);
  });

  it('leave the rules as they were when they make no sense', () => {
    const { bus } = office(env);

    expect(() => bus.permissions.add({ effect: 'allow', on: '[' })).toThrow();
    expect(() => bus.permissions.set({} as never)).toThrow(TypeError);

    expect(bus.permissions.rules).toHaveLength(4);
  });
});

describe.each(['real', 'simulated'] as const)('the authorizer, on the %s Env', (env) => {
  // R:E5
  it('says more than rules can, and a deny of either wins', () => {
    const calls: unknown[] = [];
    const { bus, denied } = office(env, {
      default: 'deny',
      rules: [
        { effect: 'allow', actions: 'subscribe' },
        { effect: 'deny', actions: 'send', on: 'no' },
      ],
      authorizer: ({ agent, action, on, to }) => {
        calls.push([agent, action, on, to]);
        return action === 'send' ? to === 'boss' : undefined;
      },
    });
    bus.register('boss');
    bus.register('peer');
    const worker = bus.register('worker');

    expect(codeOf(() => worker.send('boss', 'report', 1))).toBeUndefined();
    expect(codeOf(() => worker.send('peer', 'report', 1))).toBe('TELLASK_DENIED');
    expect(codeOf(() => worker.send('boss', 'no', 1))).toBe('TELLASK_DENIED');
    expect(codeOf(() => worker.publish('report', 1))).toBe('TELLASK_DENIED');
    expect(codeOf(() => bus.send('peer', 'report', 1))).toBeUndefined();
    expect(denied).toHaveLength(3);
    expect(calls).toContainEqual(['worker', 'send', 'report', 'peer']);
    expect(calls.filter((call) => (call as string[])[0] === '$host')).toEqual([]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('Broken');
      },
    ],
    ['returns a promise', async () => true],
    ['returns what is no answer', () => 'yes' as never],
  ])('denies when it %s, and that is a fault', (_what, authorizer) => {
    const faults: string[] = [];
    const onFault = (_error: unknown, where: string): void => void faults.push(where);
    const permissions = { default: 'allow', authorizer: authorizer as never } as const;
    const { bus } = makeBus(env, { permissions, onFault });

    expect(codeOf(() => bus.register('a').publish('x', 1))).toBe('TELLASK_DENIED');
    expect(faults[0]).toBe('authorizer');
  });

  it('is asked anew of who hears what by recheck', async () => {
    let open = true;
    const log: unknown[] = [];
    const { bus, settle } = office(env, { default: 'allow', authorizer: () => open });
    const agent = bus.register('agent');
    agent.subscribe('**', ({ payload }) => void log.push(payload));
    bus.publish('x', 1);
    await settle();

    open = false;
    bus.permissions.recheck();
    bus.publish('x', 2);
    await settle();

    expect(log).toEqual([1]);
  });
});

describe('the options of permissions', () => {
  it.each([
    ['no default', {}],
    ['a mistyped option', { default: 'allow', rule: [] }],
    ['an unknown action', { default: 'allow', rules: [{ effect: 'deny', actions: 'fly' }] }],
    ['an authorizer that is no function', { default: 'allow', authorizer: true }],
    ['nothing', null],
  ])('refuse %s', (_what, permissions) => {
    expect(() => new MessageBus({ permissions: permissions as never })).toThrow(TypeError);
  });
});

describe('permissions on virtual time', () => {
  // R:E5
  it('refuse the next attempt of a call whose asker has lost the right meanwhile', async () => {
    const t = createTestBus({ permissions: { default: 'allow' } });
    let attempts = 0;
    t.bus.register('server').serve('job.x', () => {
      attempts++;
      throw new Error('Not now');
    });
    const policy = retry({ maxAttempts: 3, baseMs: 1_000, jitter: 'none' });
    const asked = outcomeOf(t.bus.register('asker').request('job.x', 1, { policy }));
    await t.settle();

    t.bus.permissions.add({ effect: 'deny', agents: 'asker' });
    await t.clock.advance(5_000);

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_DENIED', agent: 'asker' } });
    expect(attempts).toBe(1);
    expectBalanced(t.bus);
  });

  it('hold for what was said before and leaves later', async () => {
    const t = createTestBus({ permissions: { default: 'allow' } });
    const [log, denied]: [string[], string[]] = [[], []];
    t.bus.subscribe('**', ({ topic }) => void log.push(topic));
    t.bus.events.on('denied', ({ action, target }) => void denied.push(`${action} ${target}`));
    const writer = t.bus.register('writer');
    writer.publish('job.late', 1, { delayMs: 1_000 });
    writer.send('writer', 'job.late', 1, { delayMs: 1_000 });

    t.bus.permissions.set({ default: 'allow', rules: [{ effect: 'deny', agents: 'writer' }] });
    await t.clock.advance(1_000);

    expect(log).toEqual([]);
    expect(denied.toSorted()).toEqual(['publish job.late', 'send job.late']);
    expectBalanced(t.bus);
  });
});
