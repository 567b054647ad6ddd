import { describe, expect, it } from 'vitest';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, gate, hang } from './books.ts';

describe.each(['real', 'simulated'] as const)('groups, on the %s Env', (env) => {
  // F:A14
  it('gives each message to one member, whoever is free', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const busy = gate();
    bus.register('a').subscribe(
      'job',
      async ({ payload }) => {
        log.push(`a ${payload}`);
        await busy.opened;
      },
      { group: 'crew' },
    );

    const receipts = [bus.publish('job', 1)];
    await settle();
    bus.register('b').subscribe('job', ({ payload }) => void log.push(`b ${payload}`), {
      group: 'crew',
    });
    receipts.push(...[2, 3].map((n) => bus.publish('job', n)));
    await settle();
    busy.open();
    await settle();

    expect(log).toEqual(['a 1', 'b 2', 'b 3']);
    expect(receipts.map(({ recipients }) => recipients)).toEqual([['crew'], ['crew'], ['crew']]);
    expectBalanced(bus);
  });

  it('tells the others of the group what a member says', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const a = bus.register('a');
    a.subscribe('job', () => void log.push('a'), { group: 'crew' });
    bus.register('b').subscribe('job', () => void log.push('b'), { group: 'crew' });

    a.publish('job', 1);
    a.publish('job', 2);
    await settle();

    expect(log).toEqual(['b', 'b']);
  });

  it('goes on when members wait for each other’s words, and hears what a member sends to itself', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const [a, b] = ['a', 'b'].map((name) => {
      const agent = bus.register(name);
      const hear = ({ from }: { from: string }) => void log.push(`${name} hears ${from}`);
      agent.subscribe('job', hear, { group: 'crew' });
      return agent;
    });

    a?.publish('job', 1);
    b?.publish('job', 2);
    bus.publish('job', 3);
    await settle();
    expect(log).toContain('b hears a');
    expect(log).toContain('a hears b');
    expect(log).toHaveLength(3);
    b?.pause();
    a?.send('a', 'job', 4);
    await settle();

    expect(log[3]).toBe('a hears a');
    expectBalanced(bus);
  });

  it('does not keep a message for the one member that said it', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const a = bus.register('a');
    a.subscribe('job', ({ payload }) => void log.push(`a ${payload}`), { group: 'crew' });
    const b = bus.register('b');
    const member = b.subscribe('job', () => {}, { group: 'crew' });
    b.pause();

    a.publish('job', 'own word');
    member.unsubscribe();
    bus.publish('job', 'another');
    await settle();

    expect(log).toEqual(['a another']);
    expect(bus.inspect()).toMatchObject({ handled: 1, cancelled: 1, queued: 0 });
  });

  it('gives what a member failed at back to the group when it leaves', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const a = bus.register('a');
    const retry = { maxAttempts: 3, baseMs: 60_000, jitter: 'none' } as const;
    a.subscribe(
      'job',
      () => {
        log.push('a');
        throw new Error('no');
      },
      { group: 'crew', retry },
    );
    bus.publish('job', 1);
    await settle();
    bus.register('b').subscribe('job', () => void log.push('b'), { group: 'crew', retry });

    void a.leave();
    await settle();

    expect(log).toEqual(['a', 'b']);
    expectBalanced(bus);
  });

  it('gives what a member still fails at, after it has left, to the others', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const failing = gate();
    const a = bus.register('a');
    const options = { group: 'crew', retry: { maxAttempts: 2 } };
    const fail = async (): Promise<void> => {
      log.push('a');
      await failing.opened;
      throw new Error('no');
    };
    const member = a.subscribe('job', fail, options);
    bus.publish('job', 1);
    await settle();
    bus.register('b').subscribe('job', () => void log.push('b'), options);

    member.unsubscribe();
    failing.open();
    await settle();

    expect(log).toEqual(['a', 'b']);
    expectBalanced(bus);
  });

  it('cancels what is queued when the last member goes', async () => {
    const { bus, settle } = makeBus(env);
    const a = bus.register('a');
    const member = a.subscribe('job', hang, { group: 'crew' });
    a.pause();
    const receipt = bus.publish('job', 1);
    await settle();

    member.unsubscribe();
    await settle();

    expect(await receipt.settled).toMatchObject({ cancelled: 1 });
    expect(bus.publish('job', 2).recipients).toEqual([]);
  });
});
