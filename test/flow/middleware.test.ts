import { describe, expect, it } from 'vitest';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, outcomeOf } from './books.ts';

describe.each(['real', 'simulated'] as const)('middleware, on the %s Env', (env) => {
  // F:J1 DESIGN "Middleware"
  it('runs outer to inner as installed, around what is said and around every handler', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    for (const name of ['outer', 'inner']) {
      bus.use({
        name,
        outgoing: (draft, next) => {
          log.push(`${name} ${draft.action} ${draft.from}`);
          next();
        },
        handle: async (message, context, next) => {
          log.push(`${name} before ${message.topic} at ${context.agent}`);
          const result = await next();
          log.push(`${name} after`);
          return result;
        },
      });
    }
    bus.register('a').subscribe('x', () => void log.push('handler'));

    bus.publish('x', 1);
    await settle();

    expect(log).toEqual([
      'outer publish $host',
      'inner publish $host',
      'outer before x at a',
      'inner before x at a',
      'handler',
      'inner after',
      'outer after',
    ]);
  });

  it('reaches subscriptions that were there before it, until it is taken out', async () => {
    const { bus, settle } = makeBus(env);
    let seen = 0;
    bus.subscribe('x', () => {});

    const remove = bus.use({ name: 'count', handle: (_m, _c, next) => [seen++, next()][1] });
    bus.publish('x', 1);
    await settle();
    remove();
    bus.publish('x', 2);
    await settle();

    expect(seen).toBe(1);
  });

  it('may change payload, type, priority and headers of what is said', async () => {
    const { bus, settle } = makeBus(env);
    bus.use({
      name: 'sign',
      outgoing: (draft, next) => {
        draft.payload = { signed: draft.payload };
        draft.headers['signature'] = 'abc';
        draft.priority = 9;
        draft.type = 'status';
        next();
      },
    });
    const heard: unknown[] = [];
    bus.subscribe('x', ({ payload, headers, priority, type }) => {
      heard.push(payload, headers['signature'], priority, type);
    });

    bus.publish('x', 1);
    await settle();

    expect(heard).toEqual([{ signed: 1 }, 'abc', 9, 'status']);
  });

  it('may not invent a priority', async () => {
    const { bus, settle } = makeBus(env);
    bus.use({
      name: 'shout',
      outgoing: (draft, next) => {
        draft.priority = 99;
        next();
      },
    });
    bus.subscribe('x', () => {});

    expect(() => bus.publish('x', 1)).toThrow(RangeError);

    await settle();
    expect(bus.inspect()).toMatchObject({ admitted: 0, refused: 1 });
  });

  // F:J2
  it('vetoes by throwing, with the reason in the hands of the speaker and nothing delivered', async () => {
    const { bus, settle } = makeBus(env);
    const veto = new Error('not on Sundays');
    bus.use({
      name: 'veto',
      outgoing: () => {
        throw veto;
      },
    });
    bus.register('a').serve('q', () => 1);

    const asked = outcomeOf(bus.request('q', 1));
    await settle();

    expect(() => bus.publish('x', 1)).toThrow(veto);
    expect(asked.now()).toEqual({ error: veto });
    expect(bus.inspect()).toMatchObject({ admitted: 0, refused: 2 });
  });

  it('denies what it does not pass on, and leaves a letter', () => {
    const { bus } = makeBus(env);
    bus.use({ name: 'wall', outgoing: () => {} });

    expect(() => bus.publish('x', 1)).toThrow('$host may not publish x: refused by wall');

    expect(codeOf(() => bus.publish('x', 1))).toBe('TELLASK_DENIED');
    expect(bus.deadLetters.list()).toHaveLength(2);
    expect(bus.deadLetters.list()[0]).toMatchObject({ reason: 'denied', refused: true });
  });

  it('must be synchronous where admission is', () => {
    const { bus } = makeBus(env);
    bus.use({ name: 'slow', outgoing: (async () => Promise.reject(new Error('late'))) as never });

    expect(() => bus.publish('x', 1)).toThrow(/slow: outgoing must be synchronous/);
  });

  // R:A6
  it('skips a handler by not calling next: an outcome like any other', async () => {
    const { bus, settle } = makeBus(env);
    let handled = 0;
    bus.register('a').subscribe('sync', () => void handled++);
    bus.register('b').subscribe('async', () => void handled++);
    bus.register('c').serve('q', () => handled++);
    bus.use({
      name: 'skip',
      handle: (message) => (message.topic === 'async' ? Promise.resolve() : undefined),
    });

    const receipts = [bus.publish('sync', 1), bus.publish('async', 1)];
    const asked = outcomeOf(bus.request('q', 1));
    await settle();

    expect(handled).toBe(0);
    for (const receipt of receipts) expect(await receipt.settled).toMatchObject({ cancelled: 1 });
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_CANCELLED', reason: 'skipped' } });
    expect(await bus.drain()).toBe(true);
    expectBalanced(bus);
  });

  it('fails the delivery when it throws around a handler, and may turn a failure into a success', async () => {
    const { bus, settle } = makeBus(env);
    bus.subscribe('bad', () => {});
    bus.subscribe('saved', () => {
      throw new Error('no');
    });
    bus.use({
      name: 'both',
      handle: (message, _context, next) => {
        if (message.topic === 'bad') throw new Error('by middleware');
        try {
          return next();
        } catch {
          return 'saved';
        }
      },
    });

    bus.publish('bad', 1);
    bus.publish('saved', 1);
    await settle();

    expect(bus.inspect()).toMatchObject({ handled: 1, deadLettered: 1 });
    expect(bus.deadLetters.list()).toMatchObject([{ error: { message: 'by middleware' } }]);
  });

  it('does not run what is outgoing again for a retry or a second copy', async () => {
    const { bus, settle } = makeBus(env);
    let outgoing = 0;
    bus.use({ name: 'count', outgoing: (_draft, next) => [outgoing++, next()][1] as undefined });
    let calls = 0;
    const options = { retry: { maxAttempts: 2, baseMs: 0 } };
    bus.subscribe(
      'x',
      () => {
        if (++calls === 1) throw new Error('once');
      },
      options,
    );
    bus.subscribe('x', () => {});

    bus.publish('x', 1);
    await settle();
    await bus.drain({ timeoutMs: 1_000 }).catch(() => {});

    expect(outgoing).toBe(1);
  });
});
