import { describe, expect, it } from 'vitest';
import { type Handshake, Handshakes } from '../../src/agents.ts';
import { makeBus } from '../make-bus.ts';

describe.each(['real', 'simulated'] as const)('a handshake, on the %s Env', (env) => {
  function pair() {
    const { bus, settle } = makeBus(env);
    const handshakes = new Handshakes(bus);
    const ann = bus.register('ann');
    const ben = bus.register('ben', { capabilities: ['search', 'rank'] });
    const greet = async (options: object): Promise<Handshake> => {
      const met = handshakes.greet(ann, 'ben', options as never);
      met.catch(() => {});
      await settle();
      return met;
    };
    return { bus, settle, handshakes, ann, ben, greet };
  }

  // R:L3
  it.each([
    [['1.4'], '1.4', '1.4'],
    [['1.2', '1.10', '1.9'], '1.3', '1.10'],
    [['1.4', '2.0'], '1.0', '1.4'],
  ])('of %j agrees with who speaks %s on %s', async (versions, version, agreed) => {
    const { handshakes, ben, greet } = pair();
    handshakes.accept(ben, { versions });

    expect(await greet({ version, needs: ['rank'] })).toEqual({
      outcome: 'accepted',
      agent: 'ben',
      version: agreed,
      capabilities: ['search', 'rank'],
    });
  });

  // R:L3
  it.each([
    [{ version: '1.5' }, 'version', 'speaks 1.4, 2.0, not 1.5'],
    [{ version: '3.0' }, 'version', 'speaks 1.4, 2.0, not 3.0'],
    [{ version: '1.4', needs: ['rank', 'paint'] }, 'capabilities', 'lacks paint'],
    [{ version: '2.0', needs: [] }, 'declined', 'not today, ann'],
  ])('refuses %j and says why', async (options, reason, because) => {
    const { handshakes, ben, greet } = pair();
    const decide = (from: string): string => `not today, ${from}`;
    handshakes.accept(ben, { versions: ['1.4', '2.0'], decide });

    expect(await greet(options)).toEqual({ outcome: 'refused', agent: 'ben', reason, because });
  });

  it('ends at once where nobody shakes hands, and is an error where nobody is', async () => {
    const { handshakes, ann, greet } = pair();

    expect(await greet({ version: '1.0' })).toMatchObject({ reason: 'not-served' });
    await expect(handshakes.greet(ann, 'zoe', { version: '1.0' })).rejects.toMatchObject({
      code: 'TELLASK_UNKNOWN_RECIPIENT',
    });
  });

  it('is remembered until either leaves, and made anew when it does not suffice', async () => {
    const { bus, handshakes, ben, greet } = pair();
    let greetings = 0;
    const decide = (): true => {
      greetings += 1;
      return true;
    };
    handshakes.accept(ben, { versions: ['1.4'], decide });

    await greet({ version: '1.0' });
    await greet({ version: '1.2', needs: ['search'] });
    expect(greetings).toBe(1);
    expect(await greet({ version: '2.0' })).toMatchObject({ outcome: 'refused' });
    await ben.leave();
    expect(handshakes.with('ann', 'ben')).toBeUndefined();

    handshakes.accept(bus.register('ben'), { versions: ['1.4'], decide });
    expect(await greet({ version: '1.0' })).toMatchObject({ outcome: 'accepted' });
    expect(greetings).toBe(2);
  });

  it('with who has left is forgotten on the other side, too', async () => {
    const { bus, handshakes, ann, ben, greet } = pair();
    handshakes.accept(ben, { versions: ['1.4'] });
    await greet({ version: '1.4' });

    await ann.leave();
    bus.register('ann');

    expect(handshakes.with('ann', 'ben')).toBeUndefined();
  });

  it('leaves no listener behind', async () => {
    const { handshakes, ben, greet } = pair();
    handshakes.accept(ben, { versions: ['1.4'] });
    await greet({ version: '1.4' });

    handshakes[Symbol.dispose]();

    expect(handshakes.with('ann', 'ben')).toBeUndefined();
  });

  it('refuses what is no greeting', async () => {
    const { bus, handshakes, ben, ann, settle, greet } = pair();
    handshakes.accept(ben, { versions: ['1.4'] });
    const forged = bus.request('agent.handshake', { version: 1.4, needs: 'all' }, { to: 'ben' });
    forged.catch(() => {});
    await settle();

    await expect(forged).rejects.toThrow("version must be a version such as '1.4'");
    await expect(greet({ version: '1' })).rejects.toThrow('version must be a version');
    expect(() => handshakes.accept(ann, { versions: [] })).toThrow('versions must be a list');
    expect(() => handshakes.accept(ann, { versions: ['x'] })).toThrow('versions must be a version');
  });
});

describe('a handshake on virtual time', () => {
  it('is given up after its time', async () => {
    const { createTestBus } = await import('../../src/testing.ts');
    const t = createTestBus();
    const handshakes = new Handshakes(t.bus);
    const ann = t.bus.register('ann');
    t.bus.register('ben').serve('agent.handshake', () => new Promise(() => {}));

    const met = handshakes.greet(ann, 'ben', { version: '1.0', timeoutMs: 300 });
    await t.clock.advance(300);

    expect(await met).toEqual({ outcome: 'timed-out', agent: 'ben', afterMs: 300 });
  });
});
