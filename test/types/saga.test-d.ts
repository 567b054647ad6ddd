import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineContract, MessageBus, type Saga, type SagaResult, saga } from '../../src/index.ts';

interface Trip {
  readonly to: string;
}

const trip = saga<Trip>('trip')
  .step('flight', {
    run: (input, c) => {
      expectTypeOf(input).toEqualTypeOf<Trip>();
      expectTypeOf(c.results).toEqualTypeOf<Readonly<Record<never, never>>>();
      return { seat: '12A' };
    },
    compensate: (flight, c) => {
      expectTypeOf(flight).toEqualTypeOf<{ seat: string } | undefined>();
      expectTypeOf(c.input).toEqualTypeOf<Trip>();
    },
  })
  .parallel('extras', {
    hotel: {
      run: (_input, c) => c.results.flight.seat.length,
      compensate: (nights: number | undefined) => nights?.toFixed(),
    },
    car: { run: async (input) => input.to },
  });

test('results are typed by the steps before, and a group gives an object', () => {
  const whole = trip.step('mail', {
    run: (_input, c) => {
      expectTypeOf(c.results.flight).toEqualTypeOf<{ seat: string }>();
      expectTypeOf(c.results.extras).toEqualTypeOf<{
        readonly hotel: number;
        readonly car: string;
      }>();
      // @ts-expect-error it is not done yet
      return c.results.mail;
    },
    pivot: true,
  });
  expectTypeOf(whole.name).toEqualTypeOf<string>();
});

test('members of one group do not see each other', () => {
  saga<Trip>('trip').parallel('extras', {
    hotel: { run: () => 1 },
    // @ts-expect-error hotel runs at the same time
    car: { run: (_input, c) => c.results.extras },
  });
});

test('a compensation takes what its step returns', () => {
  saga<Trip>('trip').parallel('extras', {
    // @ts-expect-error run returns a number
    hotel: { run: () => 1, compensate: (nights: string | undefined) => nights },
  });
});

test('a name is taken once', () => {
  // @ts-expect-error flight is there
  trip.step('flight', { run: () => 1 });
  // @ts-expect-error extras is there
  trip.parallel('extras', {});
});

test('results are complete when it is completed', async () => {
  type Results = typeof trip extends Saga<Trip, infer R> ? R : never;
  const result = await trip.run('7', { to: 'Rome' });
  expectTypeOf(result).toEqualTypeOf<SagaResult<Results>>();
  if (result.status === 'completed')
    expectTypeOf(result.results.extras.car).toEqualTypeOf<string>();
  else expectTypeOf(result.results.flight).toEqualTypeOf<{ seat: string } | undefined>();
  // @ts-expect-error not a trip
  await trip.run('7', {});
});

test('with a contract, what steps say is checked', async () => {
  const contract = defineContract({
    requests: { 'flight.book': { input: z.object({ to: z.string() }), output: z.number() } },
  });
  const bus = new MessageBus({ contract });
  const booking = saga<Trip, typeof contract>('booking').step('flight', {
    run: (input, c) => c.request('flight.book', input),
    compensate: (seat) => {
      expectTypeOf(seat).toEqualTypeOf<number | undefined>();
    },
  });
  saga<Trip, typeof contract>('booking').step('flight', {
    // @ts-expect-error no such request
    run: (input, c) => c.request('flight.bok', input),
  });
  await booking.run('7', { to: 'Rome' }, { as: bus.register('agency') });
  // @ts-expect-error another contract
  await booking.run('7', { to: 'Rome' }, { as: new MessageBus().register('agency') });
});
