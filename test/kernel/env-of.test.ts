import { describe, expect, it } from 'vitest';
import { MessageBus } from '../../src/index.ts';
import { envOf } from '../../src/kernel/env-of.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

describe('envOf', () => {
  it('gives the Env of a bus, of a handle and of a context', async () => {
    const env = new SimEnv();
    const bus = new MessageBus({ env });
    const agent = bus.register('ann');
    const seen: unknown[] = [];
    agent.serve('q', (_request, context) => {
      seen.push(envOf(context));
    });

    void bus.request('q', 1);
    await env.settle();

    expect([envOf(bus), envOf(agent), envOf(agent.restrict({})), ...seen]).toEqual(
      Array(4).fill(env),
    );
  });

  it.each([[undefined], [null], [{}], [() => {}]])('gives none of %s', (stranger) => {
    expect(envOf(stranger)).toBeUndefined();
  });
});
