import assert from 'node:assert/strict';
import { type Agent, saga } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import type { ClassicBug } from './classic-bug.ts';

/** Books as soon as the seat map has been read, whoever still waits for it. */
function makeHastyAirline(agent: Agent, booked: Set<unknown>): void {
  agent.serve('flight.book', async ({ payload }, context) => {
    await context.request('seat.map', {}, { detached: true });
    booked.add(payload);
  });
  agent.serve('flight.cancel', ({ payload }) => void booked.delete(payload));
}

/** What was cancelled before it was booked is not booked any more. */
function makeAirline(agent: Agent, booked: Set<unknown>): void {
  const cancelled = new Set<unknown>();
  agent.serve('flight.book', async ({ payload }, context) => {
    await context.request('seat.map', {}, { detached: true });
    if (!cancelled.has(payload)) booked.add(payload);
  });
  agent.serve('flight.cancel', ({ payload }) => {
    cancelled.add(payload);
    booked.delete(payload);
  });
}

function makeTraveller(agent: Agent): void {
  const trip = saga<string>('trip').parallel('bookings', {
    flight: {
      run: (id, c) => c.request('flight.book', id),
      compensate: (_result, c) => c.request('flight.cancel', c.input),
    },
    hotel: { run: (id, c) => c.request('hotel.book', id) },
  });
  agent.subscribe('travel', async ({ payload }, context) => {
    await trip.run('7', String(payload), { as: context });
  });
}

/** Is full, as the list of its guests shows. */
function makeHotel(agent: Agent): void {
  agent.serve('hotel.book', async (_request, context) => {
    await context.request('guests.of', {});
    await context.request('rooms.of', {});
    throw new Error('no room');
  });
}

async function play({ bus, run }: TestBus, makeOne: typeof makeAirline): Promise<void> {
  const booked = new Set<unknown>();
  makeOne(bus.register('airline', { concurrency: 2 }), booked);
  makeTraveller(bus.register('traveller'));
  makeHotel(bus.register('hotel'));
  bus.register('archive').serve('seat.map', () => 'a map');
  bus.register('porter').serve('guests.of', () => []);
  bus.register('housekeeper').serve('rooms.of', () => []);

  bus.publish('travel', 'rome');
  await run();

  assert.deepEqual([...booked], [], 'what is booked for a trip that was called off');
}

export const sagaRacesCompensation: ClassicBug = {
  name: 'saga step races its compensation',
  buggy: (t) => play(t, makeHastyAirline),
  mended: (t) => play(t, makeAirline),
};
