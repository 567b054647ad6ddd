import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  type BusOptions,
  type Context,
  type ContractShape,
  type DeniedError,
  defineContract,
  MessageBus,
  type StateAccessRules,
  StateManager,
} from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { type EnvName, makeBus } from '../make-bus.ts';

const ENVS: readonly EnvName[] = ['real', 'simulated'];

describe.each(ENVS)('the state of a bus, on the %s Env', (env) => {
  let open: MessageBus | undefined;
  afterEach(() => open?.close());

  function busWith(options: BusOptions = {}) {
    const made = makeBus(env, { state: new StateManager(), ...options });
    open = made.bus;
    return made;
  }

  // R:K2a R:E5
  it('signs what is written with whoever holds the view', async () => {
    const { bus, settle } = busWith();
    const writer = bus.register('writer');
    writer.subscribe('draft', (_, context) => void context.state.set('doc.7', 'by the handler'));
    bus.subscribe('draft', (_, context) => void context.state.set('log', 'by the host'));

    bus.state.set('doc.7', 'by the bus');
    writer.state.set('doc.7', 'by the handle');
    const { id } = bus.publish('draft', {});
    await settle();

    const signed = bus.state.history('doc.7').map((one) => [one.actor, one.causationId]);
    expect(signed).toEqual([
      ['$host', undefined],
      ['writer', undefined],
      ['writer', id],
    ]);
    expect(bus.state.get('log')).toMatchObject({ actor: '$host', causationId: id });
  });

  // R:K2a
  it('knows each message of a batch as the cause of what is written for it', async () => {
    const { bus, settle } = busWith();
    bus.register('scribe').subscribeBatch('note.*', (notes, context) => {
      for (const note of notes) context.for(note).state.set(note.topic, note.payload as string);
    });

    const ids = ['note.a', 'note.b'].map((topic) => bus.publish(topic, 'x').id);
    const drained = bus.drain();
    await settle();
    await drained;

    expect(['note.a', 'note.b'].map((key) => bus.state.get(key)?.causationId)).toEqual(ids);
  });

  it('knows the handler in which a handle is used, with ambient context', async () => {
    const { bus, settle } = busWith({ ambientContext: true });
    const writer = bus.register('writer');
    writer.subscribe('draft', async () => {
      await undefined;
      writer.state.set('doc.7', 1);
    });

    const { id } = bus.publish('draft', {});
    await settle();

    expect(bus.state.get('doc.7')?.causationId).toBe(id);
  });

  // R:K2 F:I5
  it('says what a transaction has to say when it has committed, in the name of its holder', async () => {
    const { bus, settle } = busWith();
    const heard: string[] = [];
    bus.subscribe('drafted', ({ from, payload, causationId }) => {
      heard.push(`${from} ${payload} ${causationId} ${bus.state.get('doc.7')?.version}`);
    });
    bus.register('editor').subscribe('look', ({ from }) => void heard.push(`${from} asks to look`));
    bus.register('writer').subscribe('draft', async (_, context) => {
      await context.state.transaction((tx) => {
        tx.set('doc.7', 'Tea');
        tx.publish('drafted', 'Tea');
        tx.send('editor', 'look', {});
      });
      await expect(
        context.state.transaction((tx) => {
          tx.publish('drafted', 'never');
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
    });

    const { id } = bus.publish('draft', {});
    await settle();

    expect(heard.sort()).toEqual([`writer Tea ${id} 1`, 'writer asks to look']);
  });

  it('refuses in a transaction what could not be said, and nothing is written', async () => {
    const { bus, settle } = busWith();
    const quiet = bus.register('writer').restrict({ publish: [] });
    const trials = [
      quiet.state.transaction((tx) => tx.publish('drafted', 1)),
      quiet.state.transaction((tx) => tx.send('nobody', 'look', 1)),
      bus.register('other').state.transaction((tx) => {
        tx.set('doc.7', 1);
        tx.publish('$own', 1);
      }),
    ].map((trial) => trial.catch((error: { code?: string }) => error.code));
    await settle();

    expect(await Promise.all(trials)).toEqual([
      'TELLASK_DENIED',
      'TELLASK_UNKNOWN_RECIPIENT',
      'TELLASK_DENIED',
    ]);
    expect(bus.state.has('doc.7')).toBe(false);
  });

  it('is one and the same for all who look, and the same object each time', () => {
    const state = new StateManager();
    const { bus } = busWith({ state });
    const writer = bus.register('writer');

    writer.state.set('doc.7', 1);

    expect(bus.state).toBe(state);
    expect(writer.state).toBe(writer.state);
    expect(bus.register('reader').state.get('doc.7')?.value).toBe(1);
    expect(state.get('doc.7')?.actor).toBe('writer');
  });

  // R:K2a
  it('is closed to a handle that was revoked, and to an agent that has left', async () => {
    const { bus } = busWith();
    const writer = bus.register('writer');
    const lent = writer.restrict({});
    const [own, foreign] = [writer.state, lent.state];
    own.set('doc.7', 1);

    lent.revoke();

    const uses = (view: typeof own) => [
      () => view.get('doc.7'),
      () => view.has('doc.7'),
      () => view.list(),
      () => view.history('doc.7'),
      () => view.getVersion('doc.7', 1),
      () => view.diff('doc.7', 1, 1),
      () => view.set('doc.7', 2),
      () => view.update('doc.7', () => 2),
      () => view.create('doc.8', 2),
      () => view.delete('doc.7'),
      () => view.revert('doc.7', 1),
      () => view.compareAndSet('doc.7', 1, 2),
    ];
    for (const use of uses(foreign)) expect(use).toThrow(/This handle of writer was revoked/);
    own.set('doc.7', 3);
    await writer.leave();
    for (const use of uses(own)) expect(use).toThrow(/writer has left the bus/);
    expect(bus.state.get('doc.7')?.version).toBe(2);
  });

  // R:K6
  it('lets go of the locks of an agent that leaves, and of all when the bus is closed', async () => {
    const state = new StateManager();
    const { bus, settle } = busWith({ state });
    const [writer, editor] = [bus.register('writer'), bus.register('editor')];
    const held = writer.state.lock('doc.7');
    await settle();
    const next = editor.state.lock('doc.7');
    await settle();
    expect(state.locks()).toMatchObject([{ heldBy: 'writer', waiting: ['editor'] }]);

    void writer.leave();
    await settle();

    expect((await held).signal.aborted).toBe(true);
    expect(state.locks()).toMatchObject([{ heldBy: 'editor', waiting: [] }]);
    await expect(writer.state.lock('doc.8')).rejects.toThrow('writer has left');
    const closed = bus.close();
    await settle();
    await closed;
    expect((await next).signal.aborted).toBe(true);
    expect(state.locks()).toEqual([]);
  });

  // R:K5
  it('ends the watches of an agent that leaves, and of all when the bus is closed', async () => {
    const { bus, settle } = busWith();
    const [writer, editor] = [bus.register('writer'), bus.register('editor')];
    const codes = [writer, editor].map(({ state }) =>
      state
        .watch()
        .next()
        .catch((error: { code?: string }) => error.code),
    );
    await settle();

    void writer.leave();
    await settle();
    await bus.close();
    await settle();

    expect(await Promise.all(codes)).toEqual(['TELLASK_REVOKED', 'TELLASK_CLOSED']);
  });

  // R:K5 R:K6
  it('ends what a revoked handle holds and watches, and nothing of the others', async () => {
    const { bus, settle } = busWith();
    const writer = bus.register('writer');
    const lent = writer.restrict({});
    const held = lent.state.lock('doc.7');
    await settle();
    const next = writer.state.lock('doc.7');
    const watch = lent.state.watch();
    const seen = watch.next().catch((error: { code?: string }) => error.code);
    await settle();

    lent.revoke();
    await settle();

    expect((await held).signal.aborted).toBe(true);
    expect(await seen).toBe('TELLASK_REVOKED');
    expect((await next).signal.aborted).toBe(false);
  });

  it('goes on when the bus is closed: it was given to it', async () => {
    const state = new StateManager();
    const { bus } = busWith({ state });
    bus.register('writer').state.set('doc.7', 1);

    await bus.close();

    expect(state.update('doc.7', (n) => Number(n) + 1).value).toBe(2);
  });

  // R:K8
  it('refuses what the access rules deny, says so once, and not again when they change', () => {
    const access: StateAccessRules = {
      default: 'allow',
      rules: [{ effect: 'deny', agents: 'guest', actions: 'write', on: 'doc.**' }],
    };
    const { bus } = busWith({ state: new StateManager({ access }) });
    const refusals: DeniedError[] = [];
    bus.events.on('state-denied', (refusal) => refusals.push(refusal));
    const guest = bus.register('guest');

    expect(() => guest.state.set('doc.7', 1)).toThrow(
      expect.objectContaining({ code: 'TELLASK_DENIED', rule: 0 }),
    );
    bus.state.access.set({ default: 'allow' });
    guest.state.set('doc.7', 1);

    expect(refusals.map(({ agent, action, target }) => `${agent} ${action} ${target}`)).toEqual([
      'guest write doc.7',
    ]);
    expect(bus.state.get('doc.7')?.version).toBe(1);
  });

  it('tells of no refusal on a bus that is closed', async () => {
    const state = new StateManager({ access: { default: 'deny' } });
    const { bus } = busWith({ state });
    const heard: unknown[] = [];
    bus.events.on('state-denied', (refusal) => heard.push(refusal));
    await bus.close();

    expect(() => state.as('guest').get('doc.7')).toThrow('guest may not read doc.7');

    expect(heard).toEqual([]);
  });
});

const Doc = z.object({ content: z.string(), tags: z.array(z.string()).default([]) });
const contract = defineContract({
  topics: { 'report.{id}.drafted': z.object({ text: z.string() }) },
  state: { 'doc.{id}': Doc },
});

describe('the contract of a bus and its state', () => {
  // R:K8
  it('is taken by a state that has none, with its types', () => {
    const bus = new MessageBus({ contract, state: new StateManager() });

    const doc = bus.register('writer').state.create('doc.7', { content: 'Tea' });

    expectTypeOf(doc.value).toEqualTypeOf<{ content: string; tags: string[] }>();
    expect(doc.value).toEqual({ content: 'Tea', tags: [] });
    expect(() => bus.state.set('doc.7', { content: 7 } as never)).toThrow(
      expect.objectContaining({ code: 'TELLASK_VALIDATION' }),
    );
    expect(() => bus.state.set('dok.7' as never, {} as never)).toThrow(/no state key 'dok\.7'/);
  });

  it('may be one and the same', () => {
    const bus = new MessageBus({ contract, state: new StateManager({ contract }) });

    expect(bus.state.create('doc.7', { content: 'Tea' }).version).toBe(1);
  });

  it('leaves the state open when it names no state keys', () => {
    const topics = defineContract({ topics: { tea: z.string() } });
    const bus = new MessageBus({ contract: topics, state: new StateManager() });

    expect(bus.state.create('anything', 1).value).toBe(1);
  });

  it('must not be two of them: the types would promise what is not so', () => {
    const other = defineContract({ state: { 'doc.{id}': z.number() } });

    const make = () => new MessageBus({ contract, state: new StateManager({ contract: other }) });

    expect(make).toThrow(/another contract than the bus/);
  });
});

describe('the clock of a bus and its state', () => {
  it('is that of the bus for a state that was not used before', async () => {
    const t = createTestBus({ state: new StateManager() });
    await t.clock.advance(5_000);
    const before = t.bus.state.set('doc.7', 1).at;

    await t.clock.advance(1_234);

    expect(t.bus.state.set('doc.7', 2).at - before).toBe(1_234);
  });

  it('must not be two', () => {
    const state = new StateManager();
    state.set('doc.7', 1);

    expect(() => createTestBus({ state })).toThrow(/another clock than the bus/);
    expect(new MessageBus({ state }).state.get('doc.7')?.value).toBe(1);
  });

  it('is shared by two buses on real time', () => {
    const state = new StateManager();
    const [one, other] = [new MessageBus({ state }), new MessageBus({ state })];

    one.register('writer').state.set('doc.7', 1);

    expect(other.state.get('doc.7')?.actor).toBe('writer');
  });
});

describe('a bus without a state', () => {
  it('says so when it is asked for one', async () => {
    const bus = new MessageBus();
    const agent = bus.register('agent').serve.bind(bus.register('other'));
    agent('ask', (_, context) => context.state.get('doc.7'));

    expect(() => bus.state).toThrow('The bus has no state: new MessageBus({ state: new');
    expect(() => bus.register('third').state).toThrow(TypeError);
    await expect(bus.request('ask', {})).rejects.toThrow('The bus has no state');
  });

  it.each([null, {}, 'memory', new Map()])('refuses %j as a state', (state) => {
    const options = { state } as unknown as BusOptions<ContractShape>;

    expect(() => new MessageBus(options)).toThrow('state must be a StateManager');
  });
});

describe('a handler that was fenced', () => {
  // R:K2a
  it('may write no more, and still look', async () => {
    const t = createTestBus({ state: new StateManager(), handlerTimeoutMs: 100, graceMs: 50 });
    let late: Context | undefined;
    t.bus.register('writer').subscribe('write', async (_, context) => {
      late = context;
      context.state.set('doc.7', 'in time');
      await new Promise<never>(() => {});
    });
    t.bus.publish('write', {});

    await t.clock.advance(120);
    late?.state.set('doc.7', 'in its grace');
    await t.clock.advance(100);

    const write = () => late?.state.update('doc.7', () => 'too late');
    expect(write).toThrow(expect.objectContaining({ code: 'TELLASK_FENCED' }));
    expect(late?.state.get('doc.7')?.value).toBe('in its grace');
  });
});
