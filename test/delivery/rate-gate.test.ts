import { describe, expect, it } from 'vitest';
import { RateGate } from '../../src/delivery/rate-gate.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

function gateOf(limit: number, perMs: number) {
  const env = new SimEnv();
  const log: string[] = [];
  const gate = new RateGate<{ name: string; priority: number; ticket: number }>(
    env,
    { limit, perMs },
    ({ name }) => log.push(`${name} at ${env.now()}`),
  );
  let ticket = 0;
  const pass = (name: string, priority = 5) => gate.pass({ name, priority, ticket: ++ticket });
  return { env, log, gate, pass };
}

describe('RateGate', () => {
  it('passes as many as it has tokens, and parks the rest by priority until there are more', async () => {
    const { env, log, pass } = gateOf(2, 100);

    expect([pass('a'), pass('b'), pass('c'), pass('d', 9)]).toEqual([true, true, false, false]);
    await env.run();

    expect(log).toEqual(['d at 50', 'c at 100']);
    expect(env.pendingTimers()).toEqual([]);
  });

  it('saves no more tokens than its limit, however long it rests', async () => {
    const { env, pass } = gateOf(2, 100);

    await env.advance(10_000);

    expect([pass('a'), pass('b'), pass('c')]).toEqual([true, true, false]);
  });

  it('lets nobody overtake who is parked', async () => {
    const { env, log, pass } = gateOf(1, 100);
    pass('a');
    pass('b');
    await env.advance(99);

    expect(pass('c')).toBe(false);
    await env.run();

    expect(log.map((line) => line[0])).toEqual(['b', 'c']);
  });

  it('gives up its timer with the last who waits, or when it is closed', () => {
    const { env, gate, pass } = gateOf(1, 100);
    pass('a');
    pass('b');
    pass('c');
    expect(env.pendingTimers()).toHaveLength(1);

    expect(gate.removeWhere(({ name }) => name === 'b').map(({ name }) => name)).toEqual(['b']);
    expect(env.pendingTimers()).toHaveLength(1);
    gate.removeWhere(() => true);

    expect(env.pendingTimers()).toEqual([]);
  });
});
