import { describe, expect, it } from 'vitest';
import {
  defineContract,
  type Message,
  type MessageBus,
  type Plugin,
  type PluginHost,
} from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, gate, hang, outcomeOf } from './books.ts';

/** Does one of everything that a plugin can do. */
function makeBusy(log: string[]): Plugin {
  return {
    name: 'busy',
    version: '1.0.0',
    middleware: { name: 'around', handle: (_message, _context, next) => next() },
    install(host) {
      host.use({
        name: 'stamp',
        outgoing: (draft, next) => {
          draft.headers['x-busy'] = 'yes';
          next();
        },
      });
      host.subscribe('tea.*', ({ headers }) => log.push(`heard ${headers['x-busy']}`));
      host.tap('tea.*', () => log.push('tapped'));
      host.on('handled', () => log.push('handled'));
      host.register('busy-agent').serve('busy.ask', () => 'answer');
      host.every(1_000, () => log.push('tick'));
      host.after(500, () => log.push('once'));
      return () => log.push('ended');
    },
    started: () => log.push('started'),
  };
}

/** What shows that something is left: all but what has been counted. */
function traces(bus: MessageBus): unknown {
  const { agents, subscriptions, queued, inFlight, waiting, scheduled } = bus.inspect();
  return { agents, subscriptions, queued, inFlight, waiting, scheduled, plugins: bus.plugins() };
}

describe.each(['real', 'simulated'] as const)('a plugin, on the %s Env', (env) => {
  // R:J3
  it('is installed, started, used, and goes without a trace', async () => {
    const { bus, settle } = makeBus(env);
    const before = traces(bus);
    const log: string[] = [];

    const installed = bus.install(makeBusy(log));
    expect(installed).toMatchObject({ name: 'busy', version: '1.0.0', status: 'installed' });
    expect(log).toEqual([]);
    await settle();
    await installed.ready;
    expect(installed.status).toBe('started');
    bus.publish('tea.ready', {});
    const asked = bus.request('busy.ask', {});
    await settle();
    expect(await asked).toBe('answer');
    expect(log.toSorted()).toEqual(['handled', 'handled', 'heard yes', 'started', 'tapped']);

    log.length = 0;
    void installed.uninstall();
    await settle();
    expect(installed.status).toBe('uninstalled');
    expect(log).toEqual(['ended']);
    expect(traces(bus)).toEqual(before);
    const heard: Message[] = [];
    bus.subscribe('tea.*', (message) => heard.push(message));
    bus.publish('tea.ready', {});
    await settle();
    expect(log).toEqual(['ended']);
    expect(heard[0]?.headers).toEqual({});
    expectBalanced(bus);
  });

  // R:J3
  it('that throws in install leaves nothing', async () => {
    const { bus, settle } = makeBus(env);
    const before = traces(bus);
    const log: string[] = [];
    const busy = makeBusy(log);
    const broken: Plugin = {
      ...busy,
      install(host) {
        busy.install(host);
        throw new Error('no licence');
      },
    };

    expect(() => bus.install(broken)).toThrow('no licence');
    await settle();

    expect(traces(bus)).toEqual(before);
    bus.publish('tea.ready', {});
    await settle();
    expect(log).toEqual([]);
    expect(bus.install(makeBusy(log)).name).toBe('busy');
  });

  it('has topics of its own, which only it and the bus can say', async () => {
    const contract = defineContract({ topics: {} });
    const { bus, settle } = makeBus(env, { contract });
    const heard: string[] = [];
    let say = (_topic: string, _payload: unknown): void => {};
    bus.subscribe('$plugin.rotate.*' as never, ({ topic, from, payload }: Message) =>
      heard.push(`${from} ${topic} ${payload}`),
    );
    bus.subscribe('**' as never, () => heard.push('a wildcard'));
    bus.install({
      name: 'rotate',
      install: (host) => {
        say = (topic, payload) => host.say(topic, payload);
      },
    });

    say('rotated', 7);
    await settle();

    expect(heard).toEqual(['$host $plugin.rotate.rotated 7']);
    expect(codeOf(() => say('not a topic', 1))).toBe('TELLASK_INVALID_TOPIC');
    expect(codeOf(() => bus.publish('$plugin.rotate.rotated' as never, 1 as never))).toMatch(
      /^TELLASK_/,
    );
  });

  it('is taken out when started fails', async () => {
    const faults: string[] = [];
    const { bus, settle } = makeBus(env, { onFault: (_error, where) => faults.push(where) });
    const log: string[] = [];
    const late: Plugin = { ...makeBusy(log), started: () => Promise.reject(new Error('no disk')) };

    const ready = outcomeOf(bus.install(late).ready);
    await settle();

    expect(ready.now()).toMatchObject({ error: { message: 'no disk' } });
    expect(faults).toEqual(['start of plugin busy']);
    expect(bus.plugins()).toEqual([]);
    expect(bus.inspect()).toMatchObject({ agents: 0, subscriptions: 0 });
  });

  it('ends with the bus, the last that came first', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    for (const name of ['one', 'two']) {
      bus.install({ name, install: () => async () => void log.push(name) });
    }
    const closed = bus.close();
    await settle();
    await closed;

    expect(log).toEqual(['two', 'one']);
    expect(codeOf(() => bus.install({ name: 'three', install: () => {} }))).toBe('TELLASK_CLOSED');
  });

  it('can do nothing with its host once it is gone', async () => {
    const { bus, settle } = makeBus(env);
    let host!: PluginHost;
    const install = (given: PluginHost): void => {
      host = given;
    };
    const installed = bus.install({ name: 'gone', install });
    const first = installed.uninstall();
    expect(installed.uninstall()).toBe(first);
    await settle();

    const calls: (() => unknown)[] = [
      () => host.use({ name: 'x' }),
      () => host.subscribe('x', () => {}),
      () => host.tap('x', () => {}),
      () => host.on('handled', () => {}),
      () => host.register('x'),
      () => host.publish('x', 1),
      () => host.send('x', 'x', 1),
      () => host.say('x', 1),
      () => host.after(1, () => {}),
      () => host.every(1, () => {}),
    ];
    for (const call of calls) expect(codeOf(call)).toBe('TELLASK_PLUGIN_GONE');
    await expect(host.request('x', 1)).rejects.toMatchObject({ code: 'TELLASK_PLUGIN_GONE' });
    await expect(installed.ready).rejects.toMatchObject({ code: 'TELLASK_PLUGIN_GONE' });
  });

  it('undoes by hand only what it has done itself', () => {
    const { bus } = makeBus(env);
    const shared = { name: 'shared', outgoing: (_draft: unknown, next: () => void) => next() };
    const log: string[] = [];
    bus.use({
      ...shared,
      outgoing: (_draft, next) => {
        log.push('mine');
        next();
      },
    });
    const installed = bus.install({
      name: 'a',
      install: (host) => {
        const remove = host.use(shared);
        remove();
        remove();
      },
    });
    void installed.uninstall();
    bus.publish('x', 1);

    expect(log).toEqual(['mine']);
  });

  it.each([
    ['nothing', undefined],
    ['no name', { install: () => {} }],
    ["a name of the bus's own", { name: '$x', install: () => {} }],
    ['no install', { name: 'x' }],
    ['a started that is no function', { name: 'x', install: () => {}, started: 1 }],
    ['a version that is no text', { name: 'x', install: () => {}, version: 1 }],
    ['a middleware without a name', { name: 'x', install: () => {}, middleware: {} }],
    ['an install that waits', { name: 'x', install: async () => {} }],
    ['a period of nothing', { name: 'x', install: (host: PluginHost) => host.every(0, () => {}) }],
  ])('is refused with %s', (_what, plugin) => {
    const { bus } = makeBus(env);

    expect(() => bus.install(plugin as never)).toThrow();
    expect(bus.plugins()).toEqual([]);
  });

  it('is refused a second time', () => {
    const { bus } = makeBus(env);
    bus.install({ name: 'x', install: () => {} });

    expect(() => bus.install({ name: 'x', install: () => {} })).toThrow('installed already');
    expect(bus.plugins().map(({ name }) => name)).toEqual(['x']);
  });
});

describe('the time of a plugin', () => {
  // R:J3
  it('goes with it: no timer is left', async () => {
    const faults: string[] = [];
    const t = createTestBus({ onFault: (_error, where) => faults.push(where) });
    const log: string[] = [];
    const installed = t.bus.install({
      name: 'clock',
      install: (host) => {
        host.every(1_000, () => log.push('tick'));
        host.every(1_500, () => {
          throw new Error('tock');
        });
        host.after(2_500, async () => {
          throw new Error('late');
        });
      },
    });
    await t.clock.advance(3_000);
    expect(log).toEqual(['tick', 'tick', 'tick']);
    expect(faults).toEqual(Array(3).fill('timer of plugin clock'));

    const gone = installed.uninstall();
    await t.settle();
    await gone;
    expect(t.pendingWork()).toEqual([]);
    await t.clock.advance(10_000);
    expect(log).toHaveLength(3);
  });

  it('is no more than the grace when the bus closes', async () => {
    const t = createTestBus({ leaks: 'allow' });
    t.bus.install({ name: 'slow', install: () => hang });
    const closed = outcomeOf(t.bus.close());
    await t.clock.advance(999);
    expect(closed.now()).toBe('pending');
    await t.clock.advance(1);

    expect(closed.now()).toMatchObject({ value: { drained: true } });
  });

  it('is as long as it needs when it is uninstalled', async () => {
    const t = createTestBus();
    const flushed = gate();
    const installed = t.bus.install({ name: 'slow', install: () => () => flushed.opened });
    const gone = outcomeOf(installed.uninstall());
    await t.clock.advance(60_000);
    expect(gone.now()).toBe('pending');
    flushed.open();
    await t.settle();

    expect(gone.now()).toEqual({ value: undefined });
  });
});
