import { describe, expect, it } from 'vitest';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';

describe.each(['real', 'simulated'] as const)('watching, on the %s Env', (env) => {
  it('shows a tap everything that is admitted, in order, in a later turn and without a delivery', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.register('a').subscribe('x', () => {});
    bus.register('b').serve('q', () => 1);
    const stop = bus.tap('**', ({ topic, to }, { recipients }) => {
      log.push(`${topic} to ${to} [${recipients}]`);
    });

    bus.publish('x', 1);
    bus.send('a', 'x', 1);
    void bus.request('q', 1);
    bus.publish('nobody', 1);
    expect(log).toEqual([]);
    await settle();
    stop();
    bus.publish('x', 2);
    await settle();

    expect(log).toEqual([
      'x to undefined [a]',
      'x to a [a]',
      'q to b [b]',
      'nobody to undefined []',
    ]);
    expect(bus.inspect().admitted).toBe(4);
  });

  it('explains who would get a message, who would not, and why', () => {
    const { bus } = makeBus(env);
    bus.register('hears').subscribe('x.*', () => {});
    bus.register('picky').subscribe('x.1', () => {}, { type: 'status' });
    const paused = bus.register('paused');
    paused.subscribe('**', () => {});
    paused.pause();
    const speaker = bus.register('speaker');
    speaker.subscribe('x.1', () => {});
    bus.register('asked').serve('x.1', () => 1);

    const explained = bus.explain('x.1', { from: 'speaker' });

    expect(explained.recipients).toEqual([
      { owner: 'hears', pattern: 'x.*' },
      { owner: 'paused', pattern: '**', because: 'paused' },
    ]);
    expect(explained.excluded).toEqual([
      { owner: 'picky', pattern: 'x.1', because: 'type' },
      { owner: 'speaker', pattern: 'x.1', because: 'own-message' },
    ]);
    expect(explained.responders).toEqual(['asked']);
    expect(bus.inspect()).toMatchObject({ admitted: 0, messages: 0 });
  });

  it('tells who listens for starts alone', async () => {
    const { bus, settle } = makeBus(env);
    const started: unknown[] = [];
    bus.events.on('started', ({ recipient, message }) =>
      started.push([recipient, message.payload]),
    );
    bus.register('a').subscribe('x', () => {});

    bus.publish('x', 1);
    await settle();

    expect(started).toEqual([['a', 1]]);
  });

  it('tells the way of a message as events', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.events.on('admitted', ({ topic }) => log.push(`admitted ${topic}`));
    bus.events.on('started', ({ recipient, attempt }) =>
      log.push(`started ${recipient} ${attempt}`),
    );
    bus.events.on('retry', ({ delayMs }) => log.push(`retry in ${delayMs}`));
    bus.events.on('handled', ({ recipient }) => log.push(`handled ${recipient}`));
    bus.events.on('refused', (topic, from) => log.push(`refused ${topic} from ${from}`));
    bus.events.on('unrouted', ({ topic }) => log.push(`unrouted ${topic}`));
    bus.events.on('cancelled', ({ reason }) => log.push(`cancelled ${reason}`));
    bus.register('a').subscribe('x', () => {});
    const gone = bus.register('b').subscribe('y', () => {});

    bus.publish('x', 1);
    await settle();
    bus.publish('void', 1);
    expect(() => bus.send('ghost', 'x', 1)).toThrow();
    bus.publish('y', 1);
    gone.unsubscribe();

    expect(log).toEqual([
      'admitted x',
      'started a 1',
      'handled a',
      'unrouted void',
      'admitted void',
      'refused x from $host',
      'admitted y',
      'cancelled unsubscribed',
    ]);
  });

  it('lets a listener be taken out, or hear once', async () => {
    const { bus } = makeBus(env);
    const log: string[] = [];
    const listener = (name: string): void => void log.push(name);
    bus.events.on('joined', listener);
    bus.events.once('joined', (name) => log.push(`once ${name}`));

    bus.register('a');
    bus.events.off('joined', listener);
    bus.register('b');

    expect(log).toEqual(['a', 'once a']);
  });

  // F:K2 R:D6
  it('counts outcomes for families and pairs, under a bounded number of labels', async () => {
    const { bus, settle } = makeBus(env, { maxMetricLabels: 2 });
    bus.register('a').subscribe('**', ({ payload }) => {
      if (payload === 'bad') throw new Error('no');
    });

    bus.publish('one', 1);
    bus.publish('one', 'bad');
    for (const topic of ['two', 'three', 'four']) bus.publish(topic, 1);
    await settle();

    const { families, pairs } = bus.metrics();
    expect(families.map(({ label, handled }) => `${label} ${handled}`)).toEqual([
      'one 1',
      'two 1',
      '(other) 2',
    ]);
    expect(pairs).toMatchObject([{ label: '$host → a', handled: 4, deadLettered: 1 }]);
  });

  // R:A7
  it('shows every limit of the bus, and every one is finite by default', () => {
    const { bus } = makeBus(env);

    for (const limit of Object.values(bus.inspect().limits)) {
      expect(Number.isFinite(limit)).toBe(true);
    }
    expect(Object.isFrozen(bus.inspect().limits)).toBe(true);
    expect(makeBus(env, { mailbox: { capacity: Infinity } }).bus.inspect().limits.capacity).toBe(
      Infinity,
    );
  });

  it('writes with the agent, the topic and the conversation in the fields', async () => {
    const lines: unknown[] = [];
    const write = (text: string, fields: unknown): void => void lines.push([text, fields]);
    const logger = { debug: write, info: write, warn: write, error: write };
    const { bus, settle } = makeBus(env, { logger: logger as never });
    const agent = bus.register('a');
    agent.subscribe('x', (_message, { log }) => {
      log.debug('d');
      log.info('i', { n: 1 });
      log.warn('w');
      log.error('e');
    });

    const { id } = bus.publish('x', 1);
    await settle();
    agent.log.info('outside');

    const fields = { agent: 'a', topic: 'x', messageId: id, correlationId: id };
    expect(lines).toEqual([
      ['d', fields],
      ['i', { ...fields, n: 1 }],
      ['w', fields],
      ['e', fields],
      ['outside', { agent: 'a' }],
    ]);
  });
});

describe('latency', () => {
  it('is measured from admission to outcome', async () => {
    const t = createTestBus();
    const agent = t.bus.register('a');
    agent.subscribe('x', () => {});
    agent.pause();
    t.bus.publish('x', 1);
    await t.clock.advance(100);
    agent.resume();
    await t.settle();

    const [family] = t.bus.metrics().families;
    expect(family?.latency).toMatchObject({ count: 1 });
    expect(family?.latency.maxMs).toBeGreaterThanOrEqual(100);
  });
});
