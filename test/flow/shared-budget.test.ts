import { describe, expect, it } from 'vitest';
import { type Context, type MessageBus, SharedBudget } from '../../src/index.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced } from './books.ts';

function serveEcho(bus: MessageBus, handle: (context: Context) => unknown = () => 'done'): void {
  bus.register('clerk').serve('ask', (_request, context) => handle(context));
}

/** Asks so often, one after the other; what came of it, in words. */
async function askOften(bus: MessageBus, times: number, budget: SharedBudget): Promise<unknown[]> {
  const ends: unknown[] = [];
  for (let n = 0; n < times; n++) {
    ends.push(await bus.request('ask', n, { budget }).catch((error) => error.code));
  }
  return ends;
}

/** What is awaited happens while the bus comes to rest. */
async function whileAt<T>(settle: () => Promise<void>, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  await settle();
  return work;
}

// R:G2 F:D11
describe.each(['real', 'simulated'] as const)('a shared budget, on the %s Env', (env) => {
  it('counts the calls that share it, and all that they lead to', async () => {
    const { bus, settle } = makeBus(env);
    bus.subscribe('note', () => {});
    serveEcho(bus, (context) => context.publish('note', 1).recipients.length);

    const ends = await whileAt(settle, askOften(bus, 3, new SharedBudget({ messages: 4 })));

    // Each ask is a message and says another one.
    expect(ends).toEqual([1, 1, 'TELLASK_BUDGET']);
    expectBalanced(bus);
  });

  it('adds up what is spent below all of them', async () => {
    const { bus, settle } = makeBus(env);
    serveEcho(bus, (context) => {
      context.spend({ tokens: 4 });
      return context.budget.remaining.tokens;
    });

    const ends = await whileAt(settle, askOften(bus, 3, new SharedBudget({ tokens: 10 })));

    expect(ends).toEqual([6, 2, 'TELLASK_BUDGET']);
  });

  it('draws nothing for a call that is refused before', async () => {
    const { bus, settle } = makeBus(env);
    const budget = new SharedBudget({ messages: 1 });
    const nobody = await whileAt(settle, askOften(bus, 2, budget));
    serveEcho(bus);

    const ends = await whileAt(settle, askOften(bus, 2, budget));

    expect([...nobody, ...ends]).toEqual([
      'TELLASK_NO_RESPONDER',
      'TELLASK_NO_RESPONDER',
      'done',
      'TELLASK_BUDGET',
    ]);
  });

  it('is for what is told, too', async () => {
    const { bus, settle } = makeBus(env);
    bus.subscribe('note', () => {});
    const budget = new SharedBudget({ messages: 1 });
    bus.publish('note', 1, { budget });

    expect(() => bus.publish('note', 2, { budget })).toThrow('The budget of 1 messages');

    await settle();
    expectBalanced(bus);
  });

  it('is narrower than the budget it is used below, of which each message is drawn once', async () => {
    const { bus, settle } = makeBus(env);
    serveEcho(bus);
    bus.register('boss').serve('manage', async (_request, context) => {
      const budget = new SharedBudget({ messages: 10 });
      const left: unknown[] = [];
      for (let n = 0; n < 4; n++) {
        left.push(await context.request('ask', n, { budget }).catch((error) => error.code));
      }
      return [...left, context.budget.spent.messages];
    });

    const left = await whileAt(settle, bus.request('manage', {}, { budget: { messages: 3 } }));

    expect(left).toEqual(['done', 'done', 'done', 'TELLASK_BUDGET', 3]);
  });

  it('does not move below another budget, which it could escape', async () => {
    const { bus, settle } = makeBus(env);
    serveEcho(bus);
    const budget = new SharedBudget({ messages: 10 });
    await whileAt(settle, bus.request('ask', 1, { budget }));
    bus
      .register('boss')
      .serve('manage', (_request, context) => context.request('ask', 2, { budget }));

    const asked = bus.request('manage', {}, { budget: { messages: 1 } });

    await expect(whileAt(settle, asked)).rejects.toThrow('used below one budget');
  });

  it.each([
    [{ message: 1 }, TypeError],
    [{ messages: -1 }, RangeError],
    [null, TypeError],
    [undefined, TypeError],
  ])('refuses the limits %j', (limits, kind) => {
    expect(() => new SharedBudget(limits as never)).toThrow(kind);
  });
});
