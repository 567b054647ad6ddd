import { describe, expect, it } from 'vitest';
import { makeBus } from '../make-bus.ts';

describe.each(['real', 'simulated'] as const)('isolation, on the %s Env', (env) => {
  // R:E1
  it('copies and freezes once, and never the own object of the speaker', async () => {
    const { bus, settle } = makeBus(env);
    const heard: { history: unknown[] }[] = [];
    for (const name of ['a', 'b']) {
      bus.register(name).subscribe('turn', ({ payload }) => void heard.push(payload as never));
    }
    const history: unknown[] = [{ said: 1 }];

    bus.publish('turn', { history });
    history.push({ said: 2 });
    bus.publish('turn', { history });
    await settle();

    expect(heard.map((payload) => payload.history.length).sort()).toEqual([1, 1, 2, 2]);
    const [one, other] = heard.filter((payload) => payload.history.length === 1);
    expect(one).toBe(other);
    expect(Object.isFrozen(one?.history[0])).toBe(true);
    expect(Object.isFrozen(history)).toBe(false);
  });

  it('takes what it owns already as it is, and does not trust what is merely frozen', async () => {
    const { bus, settle } = makeBus(env);
    const heard: unknown[] = [];
    bus.subscribe('first', ({ payload }, context) => {
      heard.push(payload);
      context.publish('second', payload);
    });
    bus.subscribe('second', ({ payload }) => void heard.push(payload));
    const inner = { n: 1 };

    bus.publish('first', Object.freeze({ inner }));
    inner.n = 2;
    await settle();

    expect(heard).toEqual([{ inner: { n: 1 } }, { inner: { n: 1 } }]);
    expect(heard[0]).toBe(heard[1]);
  });

  it('clones dates, maps, sets and buffers, and counts what passes by reference', async () => {
    const { bus, settle } = makeBus(env);
    const heard: Record<string, unknown>[] = [];
    bus.subscribe('x', ({ payload }) => void heard.push(payload as never));
    class Live {
      n = 1;
    }
    const given = {
      date: new Date(7),
      map: new Map([['a', { n: 1 }]]),
      set: new Set([1]),
      bytes: new Uint8Array([1, 2]),
      live: new Live(),
      call: () => 1,
    };

    bus.publish('x', given);
    given.date.setTime(0);
    given.map.set('b', { n: 2 });
    given.bytes[0] = 9;
    await settle();

    const [payload] = heard;
    expect(payload).toMatchObject({ date: new Date(7), set: new Set([1]) });
    expect((payload?.['map'] as Map<string, unknown> | undefined)?.size).toBe(1);
    expect((payload?.['bytes'] as Uint8Array | undefined)?.[0]).toBe(1);
    expect(payload?.['live']).toBe(given.live);
    expect(bus.inspect().byReference).toBe(2);
  });

  // R:E8
  it('refuses accessors and what is too deep, with the path, and takes cycles', () => {
    const { bus } = makeBus(env, { maxPayloadDepth: 10 });
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    let deep: unknown = 1;
    for (let n = 0; n < 20; n++) deep = [deep];

    expect(() =>
      bus.publish('x', {
        a: {
          get b() {
            return 1;
          },
        },
      }),
    ).toThrow(/\/a\/b/);
    expect(() => bus.publish('x', deep)).toThrow(/10/);
    expect(bus.publish('x', cycle).id).toBeDefined();
    expect(bus.inspect()).toMatchObject({ refused: 2 });
  });

  it('gives every delivery a copy of its own: clone', async () => {
    const { bus, settle } = makeBus(env, { isolation: 'clone' });
    const heard: { n: number }[] = [];
    for (const name of ['a', 'b']) {
      bus.register(name).subscribe('x', ({ payload }) => {
        const copy = payload as { n: number };
        copy.n++;
        heard.push(copy);
      });
    }

    bus.publish('x', { n: 1 });
    await settle();

    expect(heard).toEqual([{ n: 2 }, { n: 2 }]);
    expect(heard[0]).not.toBe(heard[1]);
  });

  it('passes everything as it is: share', async () => {
    const { bus, settle } = makeBus(env, { isolation: 'share' });
    const heard: unknown[] = [];
    bus.subscribe('x', ({ payload }) => void heard.push(payload));
    const given = { n: 1 };

    bus.publish('x', given);
    await settle();

    expect(heard[0]).toBe(given);
    expect(Object.isFrozen(given)).toBe(false);
  });

  it('owns the answers of responders, too', async () => {
    const { bus, settle } = makeBus(env);
    const answer = { list: [1] };
    bus.register('a').serve('q', () => answer);

    const asked = bus.request('q', 1);
    await settle();
    answer.list.push(2);

    const received = await asked;
    expect(received).toEqual({ list: [1] });
    expect(Object.isFrozen(received)).toBe(true);
  });
});
