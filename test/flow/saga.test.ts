import { describe, expect, it } from 'vitest';
import { type Agent, type Context, MemoryStore, type Store, saga } from '../../src/index.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, gate, outcomeOf } from './books.ts';

interface Trip {
  readonly to: string;
}

/** A new one for each test: without a store a definition remembers what it ran. */
function makeBooking() {
  return saga<Trip>('booking')
    .step('flight', {
      run: (trip, c) => c.request('flight.book', trip, { idempotencyKey: c.idempotencyKey }),
      compensate: (flight, c) => c.request('flight.cancel', flight),
    })
    .step('hotel', { run: (trip, c) => c.request('hotel.book', trip) })
    .step('mail', { run: (_trip, c) => void c.publish('trip.booked', c.results.flight) });
}

/** Serves flights; what it is asked goes into the log. */
function makeAirline(agent: Agent, log: string[]): void {
  agent.serve('flight.book', ({ from, correlationId, payload }, { idempotencyKey }) => {
    log.push(`${from} books ${(payload as Trip).to}: ${idempotencyKey} in ${correlationId}`);
    return 'LH 7';
  });
  agent.serve('flight.cancel', ({ payload, correlationId }) => {
    log.push(`cancel ${payload} in ${correlationId}`);
  });
}

describe.each(['real', 'simulated'] as const)('a saga on a bus, on the %s Env', (env) => {
  it('speaks as its agent, in one conversation that bears its name', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    makeAirline(bus.register('airline'), log);
    bus.register('inn').serve('hotel.book', () => 'room 8');
    bus.subscribe('trip.booked', ({ from, payload, correlationId }) => {
      log.push(`${from} says ${payload} in ${correlationId}`);
    });

    const running = makeBooking().run('7', { to: 'Rome' }, { as: bus.register('agency') });
    await settle();
    const result = await running;
    await settle();

    expect(result).toMatchObject({
      status: 'completed',
      results: { flight: 'LH 7', hotel: 'room 8' },
    });
    expect(log).toEqual([
      'agency books Rome: booking/7/flight in saga/booking/7',
      'agency says LH 7 in saga/booking/7',
    ]);
    expectBalanced(bus);
    await bus.close();
  });

  it('undoes over the bus what had been done over it', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    makeAirline(bus.register('airline'), log);
    bus.register('inn').serve('hotel.book', () => {
      throw new Error('full');
    });

    const running = makeBooking().run('7', { to: 'Rome' }, { as: bus });
    await settle();

    expect(await running).toMatchObject({ status: 'compensated', error: { message: 'full' } });
    expect(log).toEqual([
      '$host books Rome: booking/7/flight in saga/booking/7',
      'cancel LH 7 in saga/booking/7',
    ]);
    await bus.close();
  });

  // R:I1: shielded from cancellation.
  it('run by a handler belongs to its conversation, is cancelled with it, and undone all the same', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    makeAirline(bus.register('airline'), log);
    bus.register('inn').serve('hotel.book', (_request, { signal }) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    });
    let status: unknown;
    bus.register('agency').serve('trip', async ({ payload }, context) => {
      const result = await makeBooking().run('7', payload as Trip, { as: context });
      status = result.status;
    });
    const controller = new AbortController();
    const { signal } = controller;

    const asked = outcomeOf(bus.request('trip', { to: 'Rome' }, { signal, correlationId: 'talk' }));
    await settle();
    controller.abort(new Error('never mind'));
    await settle();

    expect(asked.now()).toEqual({ error: new Error('never mind') });
    expect(status).toBe('cancelled');
    expect(log).toEqual(['agency books Rome: booking/7/flight in talk', 'cancel LH 7 in talk']);
    expectBalanced(bus);
    await bus.close();
  });

  it('is not begun by a handler that was called off before', async () => {
    const { bus, settle } = makeBus(env);
    const store = new MemoryStore();
    const open = gate();
    let why: unknown;
    bus.register('agency').serve('trip', async ({ payload }, context) => {
      await open.opened;
      const terms = { as: context, store };
      why = await makeBooking()
        .run('7', payload as Trip, terms)
        .catch((error) => error.message);
    });
    const controller = new AbortController();
    outcomeOf(bus.request('trip', { to: 'Rome' }, { signal: controller.signal }));
    await settle();

    controller.abort(new Error('never mind'));
    open.open();
    await settle();

    expect(why).toBe('never mind');
    expect(store.toJSON().revision).toBe(0);
    await bus.close();
  });

  it('stands still when its bus closes, undoes nothing, and goes on elsewhere at once', async () => {
    const first = makeBus(env);
    const log: string[] = [];
    makeAirline(first.bus.register('airline'), log);
    const open = gate();
    first.bus.register('inn').serve('hotel.book', () => open.opened);
    const store = new MemoryStore();
    const agency = first.bus.register('agency');
    const stopped = outcomeOf(makeBooking().run('7', { to: 'Rome' }, { as: agency, store }));
    await first.settle();
    const closing = first.bus.close({ mode: 'abort' });
    open.open();
    await first.settle();
    await closing;
    await first.settle();
    const before = log.splice(0);

    const second = makeBus(env);
    makeAirline(second.bus.register('airline'), log);
    second.bus.register('inn').serve('hotel.book', () => 'room 8');
    const running = makeBooking().resume('7', { as: second.bus.register('agency'), store });
    await second.settle();

    expect(stopped.now()).toMatchObject({
      error: { code: 'TELLASK_SAGA_STOPPED', cause: { code: 'TELLASK_CLOSED' } },
    });
    expect(before.length).toBe(1);
    expect((await running).status).toBe('completed');
    expect(log).toEqual([]);
    await second.bus.close();
  });

  it('stands still when the bus of the handler that runs it closes', async () => {
    const { bus, settle } = makeBus(env);
    makeAirline(bus.register('airline'), []);
    bus.register('inn').serve('hotel.book', (_request, { signal }) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    });
    const store = new MemoryStore();
    let why: unknown;
    bus.register('agency').subscribe('trip', async ({ payload }, context) => {
      await makeBooking()
        .run('7', payload as Trip, { as: context, store })
        .catch((error) => {
          why = error.code;
        });
    });
    bus.send('agency', 'trip', { to: 'Rome' });
    await settle();

    const closing = bus.close({ mode: 'abort' });
    await settle();
    await closing;
    await settle();

    expect(why).toBe('TELLASK_SAGA_STOPPED');
    const [info] = await makeBooking().list({ store });
    expect(info).toMatchObject({ id: '7', status: 'running', owner: undefined });
  });

  it('begins no step when the bus of its handler closes while it is being taken up', async () => {
    const { bus, settle } = makeBus(env);
    const store = new MemoryStore();
    const free = gate();
    const slow: Store = {
      get: (key) => store.get(key),
      scan: (prefix, options) => store.scan(prefix, options),
      read: (options) => store.read(options),
      commit: async (writes) => {
        await free.opened;
        return store.commit(writes);
      },
      close: () => store.close(),
    };
    const log: string[] = [];
    const trips = saga<Trip>('booking')
      .step('flight', { run: () => void log.push('flight') })
      .step('hotel', { run: () => void log.push('hotel') });
    bus.register('agency').subscribe('trip', async ({ payload }, context) => {
      await trips
        .run('7', payload as Trip, { as: context, store: slow })
        .catch((error) => log.push(error.code));
    });
    bus.send('agency', 'trip', { to: 'Rome' });
    await settle();

    const closing = bus.close({ mode: 'abort' });
    await settle();
    free.open();
    await closing;
    await settle();

    expect(log).toEqual(['TELLASK_SAGA_STOPPED']);
    const [info] = await trips.list({ store });
    expect(info).toMatchObject({ id: '7', status: 'running', owner: undefined });
  });

  it('stands still when its agent leaves', async () => {
    const { bus, settle } = makeBus(env);
    const store = new MemoryStore();
    const log: string[] = [];
    makeAirline(bus.register('airline'), log);
    bus.register('inn').serve('hotel.book', () => 'room 8');
    const agency = bus.register('agency');
    agency.revoke();

    const stopped = outcomeOf(makeBooking().run('7', { to: 'Rome' }, { as: agency, store }));
    await settle();

    expect(stopped.now()).toMatchObject({ error: { code: 'TELLASK_SAGA_STOPPED' } });
    const running = makeBooking().run('7', { to: 'Rome' }, { as: bus, store });
    await settle();
    expect((await running).status).toBe('completed');
    await bus.close();
  });

  it('calls off what a step has asked, with its own signal and with that of the step', async () => {
    const { bus, settle } = makeBus(env);
    const heard: string[] = [];
    const ponder = ({ payload }: { payload: unknown }, { signal }: Context): Promise<never> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          heard.push(`${payload}`);
          reject(signal.reason);
        });
      });
    bus.register('thinker', { concurrency: 3 }).serve('ponder', ponder);
    const own = new AbortController();
    const cancel = new AbortController();
    const thinking = saga('think').step('all', {
      run: async (_input, c) => {
        const quick = c.request('ponder', 'quick', { signal: own.signal });
        const slow = c.request('ponder', 'slow', { signal: new AbortController().signal });
        const plain = c.gather('ponder', 'plain');
        await Promise.all([quick.catch(() => {}), slow, plain]);
      },
    });

    const running = thinking.run('1', {}, { as: bus, signal: cancel.signal });
    await settle();
    own.abort();
    await settle();
    const first = [...heard];
    cancel.abort();
    await settle();

    expect(first).toEqual(['quick']);
    expect(heard.toSorted()).toEqual(['plain', 'quick', 'slow']);
    expect((await running).status).toBe('cancelled');
    await bus.close();
  });

  it('streams, sends and broadcasts; without an agent it says so', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    const ann = bus.register('ann');
    ann.subscribe('note', ({ payload, correlationId }) => log.push([payload, correlationId]));
    ann.serve('count', function* () {
      yield 1;
      yield 2;
    });
    const talk = saga('talk').step('all', {
      run: async (_input, c) => {
        c.send('ann', 'note', 'sent');
        c.broadcast(['ann'], 'note', 'broadcast', { correlationId: 'other' });
        const chunks: unknown[] = [];
        for await (const chunk of c.stream('count', 2)) chunks.push(chunk);
        c.log.info('said it all');
        return chunks;
      },
    });

    const running = talk.run('1', {}, { as: bus.register('bob') });
    await settle();
    const silent = await talk.run('2', {});

    expect(await running).toMatchObject({ status: 'completed', results: { all: [1, 2] } });
    expect(log).toEqual([
      ['sent', 'saga/talk/1'],
      ['broadcast', 'other'],
    ]);
    expect(silent.error?.message).toBe(
      'Step all speaks, but the saga was run without an agent: as',
    );
    await bus.close();
  });
});
