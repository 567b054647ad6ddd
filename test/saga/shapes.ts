import type { saga as makeSaga, SagaEvent } from '../../src/index.ts';
import type { EveryCrashOptions, RunnableSaga, SagaWorld } from '../../src/testing.ts';

/** What a shape is built with: the library's, or that of a copy with a fault in it. */
export interface SagaMaker {
  readonly saga: typeof makeSaga;
}

/** A saga of which a crash anywhere must change nothing. */
export interface SagaShape {
  readonly name: string;
  readonly status: string;
  readonly make: (library: SagaMaker, world: SagaWorld) => RunnableSaga<string>;
  readonly cancelWhen?: (event: SagaEvent) => boolean;
  readonly mayEnd?: EveryCrashOptions['mayEnd'] & {};
}

const refusal = new Error('refused');
/** Fails at once, so that a proof need not let much time pass. */
const TWICE = { maxAttempts: 2, baseMs: 10, jitter: 'none' } as const;
const ONCE = { retry: false } as const;

/** A step that the world does, once `waits` has resolved, and undoes. */
export function doing(world: SagaWorld, result: string, waits?: Promise<void>) {
  return {
    run: async (_: string, c: Parameters<SagaWorld['perform']>[0]) => {
      if (waits !== undefined) await waits;
      return world.perform(c, result);
    },
    compensate: (_: string | undefined, c: Parameters<SagaWorld['undo']>[0]) => world.undo(c),
  };
}

/** A step that the world refuses. */
function failing(world: SagaWorld) {
  return {
    run: (_: string, c: Parameters<SagaWorld['fail']>[0]) => world.fail(c, refusal),
    compensate: (_: undefined, c: Parameters<SagaWorld['undo']>[0]) => world.undo(c),
  };
}

/** A step that does it and then does not answer: nobody knows whether it did. */
function silent(world: SagaWorld, timeoutMs: number) {
  return {
    timeoutMs,
    run: async (_: string, c: Parameters<SagaWorld['perform']>[0] & { signal: AbortSignal }) => {
      await world.perform(c, 'unheard');
      return new Promise<string>((_resolve, reject) => {
        c.signal.addEventListener('abort', () => reject(c.signal.reason));
      });
    },
    compensate: (_: string | undefined, c: Parameters<SagaWorld['undo']>[0]) => world.undo(c),
  };
}

/** The shapes of R:I5, and some more. */
export const SHAPES: readonly SagaShape[] = [
  {
    name: 'linear, all well',
    status: 'completed',
    make: ({ saga }, world) =>
      saga<string>('linear')
        .step('flight', doing(world, 'LH-1'))
        .step('hotel', doing(world, 'room'))
        .step('mail', { run: (_, c) => world.perform(c, c.results.flight), pivot: true }),
  },
  {
    name: 'linear, the last step fails',
    status: 'compensated',
    make: ({ saga }, world) =>
      saga<string>('broken')
        .step('flight', doing(world, 'LH-1'))
        .step('hotel', doing(world, 'room'))
        .step('car', failing(world)),
  },
  {
    name: 'a group, all well',
    status: 'completed',
    make: ({ saga }, world) =>
      saga<string>('group')
        .step('flight', doing(world, 'LH-1'))
        .parallel('extras', { hotel: doing(world, 'room'), car: doing(world, 'car') })
        .step('mail', doing(world, 'sent')),
  },
  {
    name: 'a group of which one fails',
    status: 'compensated',
    make: ({ saga }, world) =>
      saga<string>('half')
        .step('flight', doing(world, 'LH-1'))
        .parallel('extras', { hotel: doing(world, 'room'), car: failing(world) }),
  },
  {
    name: 'a failure behind the pivot',
    status: 'failed-after-pivot',
    make: ({ saga }, world) =>
      saga<string>('late')
        .step('flight', doing(world, 'LH-1'))
        .step('pay', { run: (_, c) => world.perform(c, 1), pivot: true })
        .step('mail', { run: (_, c) => world.fail(c, refusal) }),
  },
  {
    name: 'a compensation that fails',
    status: 'compensation-failed',
    make: ({ saga }, world) =>
      saga<string>('stuck')
        .step('flight', doing(world, 'LH-1'))
        .step('hotel', {
          ...doing(world, 'room'),
          compensate: (_, c) => world.fail(c, refusal),
          compensation: ONCE,
        })
        .step('car', failing(world)),
  },
  {
    name: 'cancelled in the middle',
    status: 'cancelled',
    cancelWhen: (event) => event.type === 'step-started' && event.step === 'hotel',
    make: ({ saga }, world) =>
      saga<string>('cancelled')
        .step('flight', doing(world, 'LH-1'))
        .step('hotel', doing(world, 'room'))
        .step('car', doing(world, 'car')),
  },
  {
    name: 'steps and compensations that are tried again',
    status: 'compensated',
    make: ({ saga }, world) =>
      saga<string>('retried')
        .step('flight', {
          ...doing(world, 'LH-1'),
          retry: TWICE,
          compensation: { retry: TWICE },
          compensate: (_, c) => (c.attempt === 1 ? world.fail(c, refusal) : world.undo(c)),
        })
        .step('hotel', {
          ...doing(world, 'room'),
          retry: TWICE,
          run: (_, c) => (c.attempt === 1 ? world.fail(c, refusal) : world.perform(c, 'room')),
        })
        .step('car', { ...failing(world), retry: TWICE }),
  },
  {
    name: 'a step of which nobody knows what became',
    status: 'compensated',
    make: ({ saga }, world) =>
      saga<string>('unknown').step('flight', doing(world, 'LH-1')).step('hotel', silent(world, 50)),
  },
  {
    name: 'a group whose members take different times, of which one fails last',
    status: 'compensated',
    make: ({ saga }, world) =>
      saga<string>('slow')
        .step('flight', doing(world, 'LH-1'))
        .parallel('extras', {
          hotel: doing(world, 'room'),
          guide: doing(world, 'guide'),
          car: { ...failing(world), retry: TWICE },
        }),
  },
  {
    name: 'cancelled as soon as another takes it up',
    status: 'completed',
    mayEnd: ['cancelled'],
    cancelWhen: (event) => event.type === 'recovered',
    make: ({ saga }, world) =>
      saga<string>('recalled')
        .step('flight', doing(world, 'LH-1'))
        .parallel('extras', { hotel: doing(world, 'room'), car: doing(world, 'car') }),
  },
  {
    name: 'a service that refuses what it has done before',
    status: 'completed',
    mayEnd: ['compensated'],
    make: ({ saga }, world) =>
      saga<string>('touchy')
        .step('flight', doing(world, 'LH-1'))
        .step('hotel', {
          ...doing(world, 'room'),
          run: (_, c) =>
            world.times('run', 'hotel') > 0 ? world.fail(c, refusal) : world.perform(c, 'room'),
        })
        .step('car', doing(world, 'car')),
  },
];
