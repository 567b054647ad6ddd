import { describe, expect, it } from 'vitest';
import { type Context, type Message, MessageBus } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, gate, hang, outcomeOf } from './books.ts';

const AMBIENT = { ambientContext: true } as const;
const SAYINGS = ['publish', 'send', 'broadcast', 'request', 'stream', 'gather'] as const;

/** Says something to `mate` in one of the ways in which one can. */
function say(
  how: (typeof SAYINGS)[number],
  voice: Pick<Context, (typeof SAYINGS)[number]>,
): unknown {
  if (how === 'publish') return voice.publish('told', 1);
  if (how === 'send') return voice.send('mate', 'told', 1);
  if (how === 'broadcast') return voice.broadcast(['mate'], 'told', 1);
  if (how === 'stream') return voice.stream('asked', 1).result;
  if (how === 'request') return voice.request('asked', 1);
  return voice.gather('asked', 1);
}

/** An agent that notes what it is told and asked. */
function addMate(bus: MessageBus, heard: Message[]): void {
  const mate = bus.register('mate');
  mate.subscribe('told', (message) => void heard.push(message));
  mate.serve('asked', (message) => void heard.push(message));
}

// F:D11 DESIGN "Inheritance is explicit"
describe.each(['real', 'simulated'] as const)('ambient context, on the %s Env', (env) => {
  it.each(SAYINGS)('lets a %s on a handle or the bus inherit as on the context', async (how) => {
    const { bus, settle } = makeBus(env, AMBIENT);
    const heard: Message[] = [];
    addMate(bus, heard);
    const other = bus.register('other');
    bus.register('a').subscribe('begin', async (_message, context) => {
      await say(how, context);
      await Promise.resolve();
      await say(how, other);
      await say(how, bus);
    });

    const { id } = bus.publish('begin', 1, { correlationId: 'c' });
    await settle();

    const told = heard.map(({ from, correlationId, causationId }) => {
      return { from, correlationId, causationId };
    });
    expect(told).toEqual(
      ['a', 'other', '$host'].map((from) => ({ from, correlationId: 'c', causationId: id })),
    );
    expectBalanced(bus);
  });

  it.each(SAYINGS)('is not there without the option: a %s begins a conversation', async (how) => {
    const { bus, settle } = makeBus(env);
    const heard: Message[] = [];
    addMate(bus, heard);
    const other = bus.register('other');
    bus.register('a').subscribe('begin', () => void say(how, other));

    bus.publish('begin', 1, { correlationId: 'c' });
    await settle();

    expect(heard).toMatchObject([{ from: 'other', causationId: undefined }]);
    expect(heard[0]?.correlationId).not.toBe('c');
  });

  it('keeps handlers apart that run at the same time', async () => {
    const { bus, settle } = makeBus(env, AMBIENT);
    const heard: Message[] = [];
    addMate(bus, heard);
    const { opened, open } = gate();
    const a = bus.register('a', { concurrency: 3 });
    a.subscribe('begin', async () => {
      await opened;
      bus.publish('told', 1);
    });

    const ids = ['x', 'y', 'z'].map((correlationId) => {
      return bus.publish('begin', 1, { correlationId }).id;
    });
    await settle();
    bus.publish('told', 'from outside');
    open();
    await settle();

    expect(heard.map(({ causationId }) => causationId)).toEqual([undefined, ...ids]);
  });

  it('hands on the budget, and draws from it', async () => {
    const { bus, settle } = makeBus(env, AMBIENT);
    bus.register('a').serve('q', (_request, context) => {
      bus.publish('told', 1);
      return [codeOf(() => bus.publish('told', 2)), context.budget.spent.messages];
    });

    const asked = outcomeOf(bus.request('q', 1, { budget: { messages: 1 } }));
    await settle();

    expect(asked.now()).toEqual({ value: ['TELLASK_BUDGET', 1] });
  });

  it('lets a running handler speak through its handle while the bus drains', async () => {
    const { bus, settle } = makeBus(env, AMBIENT);
    const codes: unknown[] = [];
    const { opened, open } = gate();
    bus.register('a').subscribe('begin', async () => {
      await opened;
      codes.push(codeOf(() => bus.publish('told', 1)));
      codes.push(codeOf(() => bus.register('late')));
    });
    bus.publish('begin', 1);
    await settle();

    const drained = bus.drain();
    open();
    await drained;

    expect(codes).toEqual([undefined, 'TELLASK_CLOSED']);
  });

  it('inherits from a handler that has ended, which is heard no more while the bus drains', async () => {
    const { bus, settle } = makeBus(env, AMBIENT);
    const heard: Message[] = [];
    const codes: unknown[] = [];
    addMate(bus, heard);
    const [first, second] = [gate(), gate()];
    const a = bus.register('a');
    a.subscribe('begin', () => {
      void first.opened.then(() => bus.publish('told', 1));
      void second.opened.then(() => codes.push(codeOf(() => bus.publish('told', 2))));
    });
    const { id } = bus.publish('begin', 1);
    await settle();

    first.open();
    await settle();
    const closed = bus.close();
    second.open();
    await closed;

    expect(heard.map(({ causationId }) => causationId)).toEqual([id]);
    expect(codes).toEqual(['TELLASK_CLOSED']);
  });

  it('does not reach another bus, taps, or what the host does with an answer', async () => {
    const { bus, settle } = makeBus(env, AMBIENT);
    const elsewhere = makeBus(env, AMBIENT);
    const heard: Message[] = [];
    const mates = (message: Message): void => void heard.push(message);
    elsewhere.bus.subscribe('told', mates);
    bus.subscribe('told', mates);
    bus.tap('wake', () => void bus.publish('told', 'tap'));
    const { opened, open } = gate();
    const onProgress = (): unknown => bus.publish('told', 'progress');
    bus.register('a').serve('begin', async (_request, context) => {
      // Nothing else is under way then: it is the handler that sets the bus off again.
      await opened;
      bus.publish('wake', 1);
      elsewhere.bus.publish('told', 'elsewhere');
      context.progress('half');
      return 1;
    });

    const asked = bus.request('begin', 1, { onProgress }).then(() => bus.publish('told', 'answer'));
    await settle();
    open();
    await Promise.all([asked, settle()]);
    await settle();
    await elsewhere.settle();

    const all = heard.map(({ payload, causationId }) => [payload, causationId]);
    expect(all.sort()).toEqual([
      ['answer', undefined],
      ['elsewhere', undefined],
      ['progress', undefined],
      ['tap', undefined],
    ]);
  });

  it('holds through a generator, however its chunks are read', async () => {
    const { bus, settle } = makeBus(env, AMBIENT);
    const heard: Message[] = [];
    addMate(bus, heard);
    bus.register('a').serve('pages', async function* () {
      for (let page = 1; page <= 3; page++) {
        bus.publish('told', page);
        await Promise.resolve();
        yield page;
      }
      bus.publish('told', 'end');
    });

    const stream = bus.stream('pages', 1, { highWaterMark: 1, correlationId: 'c' });
    await settle();
    for await (const _page of stream) await settle();
    await settle();

    expect(heard.map(({ payload, correlationId }) => [payload, correlationId])).toEqual([
      [1, 'c'],
      [2, 'c'],
      [3, 'c'],
      ['end', 'c'],
    ]);
  });

  it('goes with an answer that is put off, and with a last call; not with a batch', async () => {
    const { bus, settle } = makeBus(env, AMBIENT);
    const heard: Message[] = [];
    addMate(bus, heard);
    const a = bus.register('a');
    a.serve('later', (_request, context) =>
      context.defer((later) => void later.answer(bus.publish('told', 'later').id)),
    );
    const spend = (_request: unknown, context: Context): void => context.spend({ cost: 1 });
    const wrapUp = (): unknown => codeOf(() => bus.publish('told', 'last'));
    a.serve('spend', spend, { wrapUp });
    a.subscribeBatch('many', () => void bus.publish('told', 'many'));

    const later = outcomeOf(bus.request('later', 1, { correlationId: 'c' }));
    const last = outcomeOf(bus.request('spend', 1, { budget: { cost: 0 } }));
    bus.publish('many', 1, { correlationId: 'd' });
    await Promise.all([settle(), bus.drain()]);

    expect(later.now()).toMatchObject({ value: expect.any(String) });
    expect(last.now()).toMatchObject({ error: { partial: 'TELLASK_BUDGET' } });
    const byPayload = new Map(heard.map(({ payload, correlationId }) => [payload, correlationId]));
    expect(byPayload.get('later')).toBe('c');
    expect(byPayload.get('many')).not.toBe('d');
  });
});

describe('ambient context', () => {
  it('narrows a request to what the handler has left, and an event to nothing', async () => {
    const t = createTestBus(AMBIENT);
    const left: number[] = [];
    const a = t.bus.register('a');
    t.bus.register('b').serve('inner', (_request, context) => void left.push(context.remainingMs));
    a.serve('outer', async () => {
      t.bus.publish('event', 1);
      await t.bus.request('inner', 1);
    });
    t.bus.subscribe('event', (_message, context) => void left.push(context.remainingMs));

    void t.bus.request('outer', 1, { timeoutMs: 70 });
    await t.settle();

    expect(left.sort((one, other) => one - other)).toEqual([70, 300_000]);
  });

  it('gives what goes on after the handler time of its own', async () => {
    const t = createTestBus(AMBIENT);
    const left: number[] = [];
    const { opened, open } = gate();
    t.bus.register('b').serve('inner', (_request, context) => void left.push(context.remainingMs));
    t.bus.register('a').serve('outer', () => {
      void opened.then(() => t.bus.request('inner', 1));
    });

    void t.bus.request('outer', 1, { timeoutMs: 70 });
    await t.clock.advance(100);
    open();
    await t.settle();

    expect(left).toEqual([30_000]);
  });

  it('refuses what a fenced handler says on a handle, as on its context', async () => {
    const t = createTestBus(AMBIENT);
    const codes: unknown[] = [];
    const { opened, open } = gate();
    const handler = async (_message: unknown, context: Context): Promise<void> => {
      await opened;
      codes.push(codeOf(() => context.publish('told', 1)));
      codes.push(codeOf(() => t.bus.publish('told', 1)));
      codes.push(await t.bus.request('asked', 1).catch(({ code }) => code));
    };
    t.bus.register('a').subscribe('begin', handler, { timeoutMs: 10 });
    t.bus.publish('begin', 1);
    await t.clock.advance(1_010);

    open();
    await t.settle();

    expect(codes).toEqual(['TELLASK_FENCED', 'TELLASK_FENCED', 'TELLASK_FENCED']);
    expect(t.bus.inspect()).toMatchObject({ admitted: 1, abandoned: 1 });
  });

  it('calls off what was asked on a handle when the handler is stopped', async () => {
    const t = createTestBus(AMBIENT);
    t.bus.register('b').serve('inner', hang);
    t.bus.register('a').serve('outer', () => t.bus.request('inner', 1));
    const controller = new AbortController();

    const asked = outcomeOf(t.bus.request('outer', 1, { signal: controller.signal }));
    await t.settle();
    controller.abort(new Error('enough'));
    await t.settle();

    expect(asked.now()).toMatchObject({ error: { message: 'enough' } });
    expect(t.bus.inspect().pendingRequests).toBe(0);
  });

  it('is on or off', () => {
    expect(() => new MessageBus({ ambientContext: 1 as never })).toThrow(
      'ambientContext must be true or false, but it is 1',
    );
  });
});
