import { describe, expect, it } from 'vitest';
import { MessageBus, saga } from '../../src/index.ts';
import { everyCrash, type SagaWorld } from '../../src/testing.ts';
import { SHAPES } from './shapes.ts';

// R:I5
describe('a saga that is killed at every commit, and again at every commit of its recovery', () => {
  it.each(SHAPES)(
    'ends as if nothing had happened: $name',
    async ({ make, status, ...options }) => {
      const proof = await everyCrash((world) => ({ saga: make({ saga }, world) }), 'Rome', options);

      expect(proof.status).toBe(status);
      expect(proof.runs).toBeGreaterThan(60);
    },
  );
});

const ONCE = { crashes: 1 } as const;

describe('the proof', () => {
  it('says where a saga crashed and what is wrong', async () => {
    const forgetful = (world: SagaWorld) =>
      saga<string>('forgetful')
        .step('flight', { run: (to, c) => world.perform(c, to) })
        .step('hotel', { run: (_, c) => world.fail(c, new Error('full')) });

    const proof = everyCrash((world) => ({ saga: forgetful(world) }), 'Rome', ONCE);

    await expect(proof).rejects.toThrow(
      'without a crash: what stands of a saga that is compensated: expected none, but it is flight',
    );
  });

  it('finds a step that keeps what only this process knows', async () => {
    const makeLife = (world: SagaWorld) => {
      let seat = '';
      const definition = saga<string>('proud')
        .step('flight', {
          run: async (to, c) => {
            seat = await world.perform(c, `${to} 12A`);
          },
          compensate: (_, c) => world.undo(c),
        })
        .step('mail', { run: (_, c) => world.perform(c, seat) });
      return { saga: definition };
    };

    await expect(everyCrash(makeLife, 'Rome', ONCE)).rejects.toThrow(
      /^stopped after commit 3: its result: expected .*12A.*, but it is /,
    );
  });

  it('finds a compensation that does nothing when the outcome is unknown', async () => {
    const makeLife = (world: SagaWorld) => ({
      saga: saga<string>('picky').step('flight', {
        run: (to, c) => world.perform(c, to),
        compensate: (flight, c) => (flight === undefined ? undefined : world.undo(c)),
      }),
    });
    const options = {
      ...ONCE,
      cancelWhen: (event: { type: string }) => event.type === 'recovered',
      mayEnd: ['cancelled'],
    } as const;

    await expect(everyCrash(makeLife, 'Rome', options)).rejects.toThrow(
      'what stands of a saga that is cancelled: expected none, but it is flight',
    );
  });

  it('says so when a step waits for what is not of its life', async () => {
    const definition = saga<string>('deaf').step('wait', {
      run: () => new Promise(() => {}),
      timeoutMs: Infinity,
    });

    await expect(everyCrash(() => ({ saga: definition }), 'Rome', ONCE)).rejects.toThrow(
      /a step waits for what is not of its life/,
    );
  });

  it('lets the steps of each life speak on a bus of that life', async () => {
    const proof = await everyCrash(
      (world) => {
        const bus = new MessageBus({ env: world.env });
        bus.register('clerk').serve('flight.book', (request) => `LH to ${request.payload}`);
        const booking = saga<string>('spoken').step('flight', {
          run: async (to, c) => world.perform(c, await c.request('flight.book', to)),
          compensate: (_, c) => world.undo(c),
        });
        return { saga: booking, as: bus.register('writer') };
      },
      'Rome',
      ONCE,
    );

    expect(proof).toMatchObject({ status: 'completed', commits: 3 });
  });
});
