import { expect, it } from 'vitest';
import { MemoryStore, saga } from '../../src/index.ts';

// R:I2: a group sees what was before it, and what follows sees the group.
it('runs steps in order and gives each what the ones before have returned', async () => {
  const store = new MemoryStore();
  const log: string[] = [];
  const trip = saga<{ to: string }>('trip')
    .step('flight', {
      run: (input, c) => {
        log.push(`flight ${c.idempotencyKey}`);
        return { seat: `12A to ${input.to}` };
      },
      compensate: (flight, c) => {
        log.push(`undo ${flight?.seat} ${c.idempotencyKey}`);
      },
    })
    .parallel('extras', {
      hotel: {
        run: (_input, c) => c.results.flight.seat.length,
        compensate: (nights) => void log.push(`undo hotel ${nights?.toFixed()}`),
      },
      car: { run: async () => 'car' },
    })
    .step('mail', {
      run: (_, c) => c.results.extras.car + c.results.extras.hotel.toFixed(),
      pivot: true,
    });

  const result = await trip.run('7', { to: 'Rome' }, { store });
  expect(result).toEqual({
    status: 'completed',
    id: '7',
    results: { flight: { seat: '12A to Rome' }, extras: { hotel: 11, car: 'car' }, mail: 'car11' },
    uncompensated: [],
  });
});
