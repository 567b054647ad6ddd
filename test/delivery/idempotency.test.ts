import { describe, expect, it } from 'vitest';
import { Idempotency } from '../../src/delivery/idempotency.ts';

const ask = (key?: string, from = 'a') => {
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  return { from, topic: 'q', headers } as never;
};

describe('Idempotency', () => {
  const make = (options = { windowMs: 100 } as { windowMs: number; maxKeys?: number }) => {
    const clock = { now: 0 };
    let calls = 0;
    const memory = new Idempotency(options, () => clock.now);
    const handle = memory.around(() => ++calls);
    return { clock, memory, answer: (message: never) => handle(message, {} as never) };
  };

  it('remembers an answer for one asker, one topic and one key, until the window is over', () => {
    const { clock, answer } = make();

    expect([answer(ask('k')), answer(ask('k')), answer(ask('k', 'b')), answer(ask())]).toEqual([
      1, 1, 2, 3,
    ]);
    clock.now = 100;

    expect(answer(ask('k'))).toBe(4);
  });

  it('keeps at most maxKeys answers, the newest', () => {
    const { memory, answer } = make({ windowMs: 100, maxKeys: 2 });
    for (const key of ['a', 'b', 'c']) answer(ask(key));

    expect(memory.size).toBe(2);
    expect([answer(ask('c')), answer(ask('a'))]).toEqual([3, 4]);
  });

  it('shares the promise of the first call, and forgets it when it fails', async () => {
    let calls = 0;
    const memory = new Idempotency({ windowMs: 100 }, () => 0);
    const handle = memory.around(async () => {
      if (++calls === 1) throw new Error('no');
      return calls;
    });

    const first = handle(ask('k'), {} as never);
    const second = handle(ask('k'), {} as never);
    await expect(first).rejects.toThrow('no');
    await expect(second).rejects.toThrow('no');

    expect(await handle(ask('k'), {} as never)).toBe(2);
  });

  it('a fenced call that fails late does not forget the answer of its successor', async () => {
    const fails: ((error: Error) => void)[] = [];
    const memory = new Idempotency({ windowMs: 100 }, () => 0);
    const handle = memory.around(() => new Promise((_resolve, reject) => fails.push(reject)));
    const fenced = { fenced: true } as never;

    const first = handle(ask('k'), fenced) as Promise<unknown>;
    const second = handle(ask('k'), {} as never);
    fails[0]?.(new Error('late'));
    await expect(first).rejects.toThrow('late');

    const third = handle(ask('k'), {} as never) as Promise<unknown>;
    fails[1]?.(new Error('over'));
    await expect(Promise.all([second, third])).rejects.toThrow('over');
    expect(fails).toHaveLength(2);
  });
});
