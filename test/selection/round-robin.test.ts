import { describe, expect, it } from 'vitest';
import { roundRobin, type Selection } from '../../src/agents.ts';
import type { BusOptions } from '../../src/index.ts';
import { makeBus } from '../make-bus.ts';

const first: Selection = { name: 'first', choose: (candidates) => candidates[0] };
const nobody: Selection = { name: 'nobody', choose: () => undefined };

describe.each(['real', 'simulated'] as const)('a selection, on the %s Env', (env) => {
  function three(options: BusOptions = {}) {
    const { bus, settle } = makeBus(env, options);
    for (const name of ['ann', 'ben', 'cid']) bus.register(name).serve('whoami', () => name);
    const ask = async (call: object = {}): Promise<unknown> => {
      const answer = bus.request('whoami', { about: 'me' }, call);
      answer.catch(() => {});
      await settle();
      return answer;
    };
    return { bus, ask };
  }

  // R:L2
  it('in turn asks each in the order of registration', async () => {
    const { ask } = three();
    const select = roundRobin();
    const said: unknown[] = [];

    for (let i = 0; i < 5; i++) said.push(await ask({ select }));

    expect(said).toEqual(['ann', 'ben', 'cid', 'ann', 'ben']);
  });

  it('holds for the whole bus, unless the call brings its own', async () => {
    const { ask } = three({ select: first });

    expect([await ask(), await ask()]).toEqual(['ann', 'ann']);
    expect(await ask({ select: roundRobin(), to: 'ben' })).toBe('ben');
  });

  it('sees those who could answer and the call, and nothing else', async () => {
    const { ask } = three();
    const seen: unknown[] = [];
    const choose: Selection['choose'] = (candidates, { topic, payload, from }) => {
      seen.push(candidates.map(({ agent, outstanding }) => [agent, outstanding]));
      seen.push({ topic, payload, from });
      return candidates.at(-1);
    };

    expect(await ask({ select: { name: 'last', choose } })).toBe('cid');
    expect(seen).toEqual([
      [
        ['ann', 0],
        ['ben', 0],
        ['cid', 0],
      ],
      { topic: 'whoami', payload: { about: 'me' }, from: '$host' },
    ]);
  });

  it('may find nobody fit, and is told when it answers with a stranger', async () => {
    const { ask } = three();
    const stranger = { agent: 'zoe', outstanding: 0, concurrency: 1 };

    await expect(ask({ select: nobody })).rejects.toMatchObject({ code: 'TELLASK_NO_RESPONDER' });
    await expect(ask({ select: { name: 'odd', choose: () => stranger } })).rejects.toThrow(
      'The choice of odd must be one of the candidates, or undefined',
    );
    await expect(ask({ select: 'roundRobin' })).rejects.toThrow('select must be a strategy');
  });
});
