// R:E4 R:C3
import { describe, expect, it } from 'vitest';
import type { Context, Later } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { codeOf, expectBalanced, outcomeOf } from '../flow/books.ts';
import { makeBus } from '../make-bus.ts';

describe.each(['real', 'simulated'] as const)('a forged reply, on the %s Env', (env) => {
  it('is none: what is sent is a message, whatever it says of itself', async () => {
    const { bus, settle } = makeBus(env);
    const asker = bus.register('asker');
    const server = bus.register('server');
    server.serve('balance', (_request, context) => context.defer());
    const mallory = bus.register('mallory');
    const asked = outcomeOf(asker.request('balance', 1));
    await settle();
    const [request] = bus.pending();

    mallory.send('asker', 'balance', 1_000_000, {
      type: 'reply',
      correlationId: request?.correlationId ?? '',
      headers: { 'in-reply-to': request?.id ?? '', causationId: request?.id ?? '' },
    });
    mallory.publish('balance', 1_000_000, { type: 'reply' });
    server.send('asker', 'balance', 1_000_000, { type: 'reply' });
    await settle();

    expect(asked.now()).toBe('pending');
    expect(bus.inspect().foreignReplies).toBe(2);
    bus.conversation(request?.correlationId ?? '').cancel();
  });

  it('is none from the context of another message', async () => {
    const { bus, settle } = makeBus(env);
    const answers: unknown[] = [];
    let foreign: Context | undefined;
    const mallory = bus.register('mallory', { concurrency: 2 });
    mallory.subscribe('news', async (_message, context) => {
      foreign = context;
      await new Promise(() => {});
    });
    bus.register('server').serve('balance', () => {
      answers.push(foreign?.reply(1_000_000));
      return 7;
    });
    bus.publish('news', 1);
    await settle();

    const asked = outcomeOf(bus.request('balance', 1));
    await settle();

    expect(answers).toEqual([false]);
    expect(asked.now()).toEqual({ value: 7 });
  });

  it('changes nothing when it is the second one, or comes late, or from who has left', async () => {
    const { bus, settle } = makeBus(env);
    const kept: Context[] = [];
    const later: Later[] = [];
    const log: unknown[] = [];
    const server = bus.register('server');
    server.serve('twice', (_request, context) => {
      kept.push(context);
      log.push(context.reply('first'), context.reply('second'));
      return 'third';
    });
    server.serve('later', (_request, context) => {
      kept.push(context);
      later.push(context.defer());
    });
    const twice = outcomeOf(bus.request('twice', 1));
    const left = outcomeOf(bus.request('later', 1));
    await settle();

    log.push(kept[0]?.reply('fourth'));
    const leaving = server.leave();
    await settle();
    await leaving;
    log.push(
      codeOf(() => kept[1]?.reply('fifth')),
      later[0]?.answer('sixth'),
    );

    expect(twice.now()).toEqual({ value: 'first' });
    expect(left.now()).toMatchObject({ error: { code: 'TELLASK_RESPONDER_LEFT' } });
    expect(log).toEqual([true, false, false, 'TELLASK_FENCED', false]);
    expect(bus.inspect()).toMatchObject({ duplicateReplies: 2, lateReplies: 1 });
    expectBalanced(bus);
  });

  it('is no answer to the request of another: nobody can serve in a name that is taken', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('bank').serve('balance', () => 7);
    const mallory = bus.register('mallory');
    mallory.serve('*', () => 1_000_000);

    const asked = outcomeOf(bus.request('balance', 1, { to: 'bank' }));
    await settle();

    expect(codeOf(() => bus.register('bank'))).toBe('TELLASK_NAME_TAKEN');
    expect(asked.now()).toEqual({ value: 7 });
  });
});

describe('a fenced context', () => {
  /** What may be called on a context, and what it takes. */
  const VERBS: Readonly<Record<string, (context: Context) => unknown>> = {
    publish: (context) => context.publish('x', 1),
    send: (context) => context.send('other', 'x', 1),
    broadcast: (context) => context.broadcast(['other'], 'x', 1),
    request: (context) => context.request('ask', 1),
    gather: (context) => context.gather('ask', 1),
    stream: (context) => context.stream('ask', 1).result,
    reply: (context) => context.reply(1),
    progress: (context) => context.progress(1),
    steered: (context) => context.steered(),
    defer: (context) => context.defer(),
    forward: (context) => context.forward('other'),
    close: (context) => context.close(),
  };
  /** What is the library's own business, or concerns nobody but the handler itself. */
  const OTHERS =
    'constructor spend end letOut takeBack putOff fence beginsToWait abort onAbort toJSON';

  async function fenced() {
    const t = createTestBus({ unheard: 'count', leaks: 'allow', graceMs: 10 });
    const heard: string[] = [];
    let context: Context | undefined;
    const other = t.bus.register('other');
    other.subscribe('**', ({ topic }) => void heard.push(topic));
    other.serve('ask', () => void heard.push('ask'));
    t.bus.register('slow').serve(
      'job',
      async (_request, own) => {
        context = own;
        await new Promise(() => {});
      },
      { timeoutMs: 10 },
    );
    void t.bus.request('job', 1).catch(() => {});
    await t.clock.advance(100);
    return { t, heard, context: context as Context };
  }

  it.each(Object.entries(VERBS))('cannot %s', async (_verb, call) => {
    const { t, heard, context } = await fenced();
    Object.defineProperty(context, 'fenced', { value: false });

    const said = outcomeOf((async () => call(context))());
    await t.settle();

    expect(said.now()).toMatchObject({ error: { code: 'TELLASK_FENCED' } });
    expect(heard).toEqual([]);
  });

  it('has no other verb', async () => {
    const { context } = await fenced();
    const proto = Object.getPrototypeOf(context) as object;
    const methods = Object.entries(Object.getOwnPropertyDescriptors(proto))
      .filter(([, { value }]) => typeof value === 'function')
      .map(([name]) => name);

    const known = [...Object.keys(VERBS), ...OTHERS.split(' ')];
    expect(methods.filter((name) => !known.includes(name))).toEqual([]);
  });
});
