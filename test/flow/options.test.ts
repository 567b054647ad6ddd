import { describe, expect, it } from 'vitest';
import { MessageBus } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';

const nothing = (): void => {};

// R:C2 DESIGN "Where options live"
describe('options in the wrong place or of the wrong kind', () => {
  it.each(['concurrency', 'capacity', 'overflow', 'ageingLimit', 'onHang'])(
    'refuses %s on a subscription of an agent, and says where it belongs',
    (name) => {
      const agent = createTestBus().bus.register('a');

      const subscribe = (): unknown => agent.subscribe('x', nothing, { [name]: 1 } as never);
      const serve = (): unknown => agent.serve('x', nothing, { [name]: 1 } as never);

      for (const call of [subscribe, serve]) {
        expect(call).toThrow(TypeError);
        expect(call).toThrow(new RegExp(`^${name} belongs to the mailbox.*lane: 'own'$`));
      }
    },
  );

  it('takes them where a subscription has a mailbox of its own', () => {
    const { bus } = createTestBus();
    const options = { concurrency: 2, capacity: 3, overflow: 'wait', onHang: 'hold' } as const;

    expect(bus.subscribe('x', nothing, options).active).toBe(true);
    const agent = bus.register('a');
    const own = { lane: 'own', ...options } as const;
    expect(agent.subscribe('x', nothing, own).active).toBe(true);
    expect(agent.serve('x', nothing, own).active).toBe(true);
    expect(agent.serveBatch('x', () => [], own).active).toBe(true);
  });

  const register = (options: object) => (): unknown =>
    createTestBus().bus.register('a', options as never);
  const subscribe = (options: unknown) => (): unknown =>
    createTestBus()
      .bus.register('a')
      .subscribe('x', nothing, options as never);
  const serve = (options: unknown) => (): unknown =>
    createTestBus()
      .bus.register('a')
      .serve('x', nothing, options as never);
  const serveBatch = (options: unknown) => (): unknown =>
    createTestBus()
      .bus.register('a')
      .serveBatch('x', () => [], options as never);
  const publish = (options: unknown) => (): unknown =>
    createTestBus().bus.publish('x', 1, options as never);
  const make = (options: unknown) => (): unknown => new MessageBus(options as never);

  it.each([
    [register({ concurrency: 0 }), RangeError, 'concurrency must be a whole number from 1'],
    [register({ concurrency: '2' }), TypeError, 'concurrency must be a number, but it is "2"'],
    [register({ capacity: -1 }), RangeError, 'capacity must be a whole number from 0'],
    [register({ capacity: Number.NaN }), RangeError, 'but it is NaN'],
    [register({ overflow: 'drop' }), TypeError, 'overflow must be one of reject, drop-newest'],
    [register({ onHang: 'wait' }), TypeError, 'onHang must be one of release, hold, stop'],
    [register({ capabilities: 'search' }), TypeError, 'capabilities must be a list of strings'],
    [subscribe(null), TypeError, 'The options must be an object'],
    [subscribe({ timeoutMs: -1 }), RangeError, 'timeoutMs must be 0 or more milliseconds'],
    [subscribe({ timeoutMs: '1s' }), TypeError, 'timeoutMs must be a number of milliseconds'],
    [subscribe({ key: 'id' }), TypeError, 'key must be a function of the message'],
    [subscribe({ type: [] }), TypeError, 'type must be a message type, or a list of them'],
    [subscribe({ type: 7 }), TypeError, 'type must be'],
    [subscribe({ retry: { maxAttempts: 0 } }), RangeError, 'retry.maxAttempts'],
    [subscribe({ retry: { order: 'back' } }), TypeError, "retry.order must be 'requeue'"],
    [subscribe({ rateLimit: { limit: 0, perMs: 1 } }), RangeError, 'rateLimit.limit'],
    [subscribe({ rateLimit: { limit: 1, perMs: 0 } }), RangeError, 'rateLimit.perMs'],
    [subscribe({ rateLimit: { limit: 1, perMs: '1' } }), TypeError, 'rateLimit.perMs'],
    [publish('now'), TypeError, 'The options of publish must be an object'],
    [publish({ priority: 11 }), RangeError, 'priority'],
    [publish({ priority: 'urgent' }), TypeError, 'priority'],
    [publish({ ttlMs: Number.NaN }), RangeError, 'ttlMs must be 0 or more'],
    [publish({ delayMs: Infinity }), RangeError, 'delayMs must be finite'],
    [publish({ deliverAt: '2026' }), TypeError, 'deliverAt must be an instant'],
    [publish({ dedupeKey: '' }), TypeError, 'dedupeKey must be a non-empty string'],
    [publish({ headers: { a: 1 } }), TypeError, 'headers.a must be a string'],
    [publish({ type: '' }), TypeError, 'type must be a non-empty string'],
    [make(null), TypeError, 'The options of MessageBus must be an object'],
    [make({ isolation: 'none' }), TypeError, 'isolation must be own, clone, share'],
    [make({ unheard: 'shout' }), TypeError, 'unheard must be count, warn, dead-letter'],
    [make({ contract: {} }), TypeError, 'contract must be what defineContract returned'],
    [make({ onFault: true }), TypeError, 'onFault must be a function'],
    [make({ maxRetained: -1 }), RangeError, 'maxRetained'],
    [make({ handlerTimeoutMs: -1 }), RangeError, 'handlerTimeoutMs must be 0 or more'],
    [make({ graceMs: '1' }), TypeError, 'graceMs must be a number of milliseconds'],
    [make({ requestTimeoutMs: Number.NaN }), RangeError, 'requestTimeoutMs'],
    [make({ dedupe: { windowMs: -1 } }), RangeError, 'dedupe.windowMs'],
    [make({ dedupe: { maxKeys: 0.5 } }), RangeError, 'dedupe.maxKeys'],
    [make({ deadLetters: { maxBytes: '1 MB' } }), TypeError, 'deadLetters.maxBytes'],
    [subscribe({ idempotent: { windowMs: 1 } }), TypeError, 'idempotent belongs to serve'],
    [serve({ type: 'event' }), TypeError, 'type belongs to subscribe'],
    [serve({ echo: true }), TypeError, 'echo belongs to subscribe'],
    [serve({ group: 'g' }), TypeError, 'group belongs to subscribe'],
    [serve({ replay: true }), TypeError, 'replay belongs to subscribe'],
    [serveBatch({ replay: true }), TypeError, 'replay belongs to subscribe'],
    [serveBatch({ max: 3 }), TypeError, 'max belongs into batch: { batch: { max } }'],
    [serve({ idempotent: {} }), TypeError, 'idempotent.windowMs must be a number'],
    [serve({ idempotent: { windowMs: 1, maxKeys: -1 } }), RangeError, 'idempotent.maxKeys'],
    [subscribe({ group: 7 }), TypeError, 'group must be a non-empty string, but it is 7'],
    [make({ mailbox: { capacity: 1.5 } }), RangeError, 'capacity'],
  ])('says what was expected and what came: case %#', (call, kind, text) => {
    expect(call).toThrow(kind);
    expect(call).toThrow(text);
  });

  it('refuses handlers, observers and middleware that are none', () => {
    const { bus } = createTestBus();
    expect(() => bus.subscribe('x', 'no' as never)).toThrow('The handler must be a function');
    expect(() => bus.tap('x', 'no' as never)).toThrow('The observer must be a function');
    expect(() => bus.use('no' as never)).toThrow('middleware must be an object with a name');
    expect(() => bus.use({} as never)).toThrow('middleware.name must be a string');
    expect(() => bus.send(7 as never, 'x', 1)).toThrow('The recipient must be the name');
    expect(() => bus.register('a', null as never)).toThrow('The options of register');
  });

  it('refuses a mistyped option of a call and names those there are', async () => {
    const { bus } = createTestBus();
    const typo = { prio: 1 } as object;

    expect(() => bus.publish('x', 1, typo)).toThrow(/^publish has no option prio; .*priority/);
    expect(() => bus.send('a', 'x', 1, typo)).toThrow(/^send has no option prio/);
    expect(() => bus.broadcast([], 'x', 1, typo)).toThrow(/^broadcast has no option prio/);
    await expect(bus.request('x', 1, typo)).rejects.toThrow(/^request has no option prio/);
    await expect(bus.gather('x', 1, typo)).rejects.toThrow(/^gather has no option prio/);
    await expect(bus.stream('x', 1, typo).next()).rejects.toThrow(/^stream has no option prio/);
    expect(bus.inspect()).toMatchObject({ admitted: 0, letters: 0 });
  });

  it('rejects a request with misused options instead of throwing', async () => {
    const { bus } = createTestBus();
    const bad = [null, { timeoutMs: -1 }, { to: 7 }, { priority: 12 }, { idempotencyKey: '' }];

    for (const options of bad) {
      const asked = bus.request('x', 1, options as never);
      await expect(asked).rejects.toThrow(/^(TypeError|RangeError)?.*must be/);
    }
  });

  it('leaves the bus open when close is called with nonsense', async () => {
    const { bus } = createTestBus();

    expect(() => bus.close({ mode: 'now' as never })).toThrow("mode must be 'drain' or 'abort'");
    expect(() => bus.close({ timeoutMs: -1 })).toThrow(RangeError);

    expect(bus.inspect().status).toBe('open');
    await bus.close();
    expect(bus.inspect().status).toBe('closed');
  });
});
