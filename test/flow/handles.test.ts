import { describe, expect, it } from 'vitest';
import { Agent } from '../../src/index.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, gate, outcomeOf } from './books.ts';

describe.each(['real', 'simulated'] as const)('handles, on the %s Env', (env) => {
  // R:E4
  it('can be attenuated: nothing but what the patterns say, for each action', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('other').serve('ask.this', () => 1);
    const agent = bus.register('a');
    const less = agent.restrict({
      publish: ['report.**'],
      send: [],
      request: ['ask.*'],
      subscribe: ['report.*', 'news'],
      serve: ['answer.me'],
    });

    less.publish('report.7.drafted', 1);
    expect(less.subscribe('report.*', () => {}).active).toBe(true);
    expect(less.serve('answer.me', () => 1).active).toBe(true);
    expect(codeOf(() => less.publish('invoice.7', 1))).toBe('TELLASK_DENIED');
    expect(codeOf(() => less.send('other', 'report.7', 1))).toBe('TELLASK_DENIED');
    expect(codeOf(() => less.subscribe('**', () => {}))).toBe('TELLASK_DENIED');
    expect(codeOf(() => less.messages('**'))).toBe('TELLASK_DENIED');
    expect(codeOf(() => less.serve('ask.this', () => 1))).toBe('TELLASK_DENIED');
    const asked = [outcomeOf(less.request('ask.this', 1)), outcomeOf(less.request('no', 1))];
    await settle();

    expect(asked[0]?.now()).toEqual({ value: 1 });
    expect(asked[1]?.now()).toMatchObject({ error: { code: 'TELLASK_DENIED' } });
    expect(agent.publish('invoice.7', 1).id).toBeDefined();
  });

  it('cannot be widened again by restricting once more', () => {
    const { bus } = makeBus(env);
    const narrow = bus.register('a').restrict({ publish: ['report.*'] });

    const wide = narrow.restrict({ publish: ['**'] });

    expect(codeOf(() => wide.publish('invoice', 1))).toBe('TELLASK_DENIED');
    expect(codeOf(() => wide.publish('report.1', 1))).toBeUndefined();
  });

  it('bind the context of their handlers as well', async () => {
    const { bus, settle } = makeBus(env);
    const codes: unknown[] = [];
    const less = bus.register('a').restrict({ publish: ['allowed'] });
    less.subscribe('x', (_message, context) => {
      codes.push(codeOf(() => context.publish('allowed', 1)));
      codes.push(codeOf(() => context.publish('forbidden', 1)));
    });

    bus.publish('x', 1);
    await settle();

    expect(codes).toEqual([undefined, 'TELLASK_DENIED']);
  });

  it('are useless once revoked, with those made from them and their subscriptions', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const agent = bus.register('a');
    const lent = agent.restrict({});
    const lentOn = lent.restrict({});
    agent.subscribe('x', () => void log.push('own'));
    lent.subscribe('x', () => void log.push('lent'));
    lentOn.subscribe('x', () => void log.push('lent on'));

    lent.revoke();
    bus.publish('x', 1);
    await settle();

    expect(log).toEqual(['own']);
    for (const handle of [lent, lentOn]) {
      expect(codeOf(() => handle.publish('x', 1))).toBe('TELLASK_REVOKED');
      expect(codeOf(() => handle.pause())).toBe('TELLASK_REVOKED');
      expect(codeOf(() => handle.messages())).toBe('TELLASK_REVOKED');
      await expect(handle.receive()).rejects.toMatchObject({ code: 'TELLASK_REVOKED' });
    }
    expect(agent.publish('x', 1).id).toBeDefined();
  });

  it('stop the context of a handler that still runs when they are revoked', async () => {
    const { bus, settle } = makeBus(env);
    const revoked = gate();
    const codes: unknown[] = [];
    const lent = bus.register('a').restrict({});
    lent.subscribe('x', async (_message, context) => {
      await revoked.opened;
      codes.push(codeOf(() => context.publish('y', 1)));
    });
    bus.publish('x', 1);
    await settle();

    lent.revoke();
    revoked.open();
    await settle();

    expect(codes).toEqual(['TELLASK_REVOKED']);
  });

  // R:E4
  it('that may not ask may not stream either', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('s').serve('secret', function* () {
      yield 'a secret';
    });
    const lent = bus.register('a').restrict({ request: ['open'] });
    lent.serve('q', (_request, context) => context.stream('secret', 1));

    const own = outcomeOf(lent.stream('secret', 1).next());
    const inside = outcomeOf(bus.request('q', 1));
    await settle();

    for (const one of [own, inside]) {
      expect(one.now()).toMatchObject({ error: { code: 'TELLASK_DENIED', action: 'request' } });
    }
  });

  it('belong to one registration: the old one is not the new one of the same name', async () => {
    const { bus } = makeBus(env);
    const old = bus.register('a');
    await old.leave();
    const fresh = bus.register('a');

    expect(codeOf(() => old.publish('x', 1))).toBe('TELLASK_REVOKED');
    await old.leave();

    expect(bus.agents().map(({ name }) => name)).toEqual(['a']);
    expect(fresh.publish('x', 1).id).toBeDefined();
  });

  it('show their agent and find it by name and capability', () => {
    const { bus } = makeBus(env);
    const agent = bus.register('a', { capabilities: ['draft', 'edit'], capacity: 7 });
    bus.register('b', { capabilities: ['edit'] });

    expect(agent).toBeInstanceOf(Agent);
    expect([agent.name, agent.capabilities]).toEqual(['a', ['draft', 'edit']]);
    expect(bus.agents({ capability: 'edit' }).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(bus.agents({ name: 'a', capability: 'draft' })).toMatchObject([{ capacity: 7 }]);
    expect(bus.agents({ name: 'b', capability: 'draft' })).toEqual([]);
    expect(codeOf(() => bus.register('a'))).toBe('TELLASK_NAME_TAKEN');
  });

  it('refuses a restriction that is none', () => {
    const agent = makeBus(env).bus.register('a');
    expect(() => agent.restrict({ publish: '**' as never })).toThrow(/publish must be a list/);
    expect(() => agent.restrict({ publish: ['!x'] })).toThrow(/pattern/i);
  });
});
