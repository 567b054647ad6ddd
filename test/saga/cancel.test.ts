import { describe, expect, it } from 'vitest';
import { type SagaEvent, saga } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { gate } from '../flow/books.ts';
import { turn, World, watched } from './world.ts';

function trip(world: World) {
  const { compensate: _, ...p } = world.step('p', { pivot: true });
  const { compensate: __, ...d } = world.step('d');
  return saga('trip')
    .step('a', world.step('a'))
    .parallel('both', { b: world.step('b'), c: world.step('c') })
    .step('p', p)
    .step('d', d);
}

describe('a saga that is cancelled', () => {
  // R:I4: at each commit, before it and after it.
  it.each(
    [1, 2, 3, 4, 5, 6, 7].flatMap((at) => [
      [at, 'before'],
      [at, 'after'],
    ]),
  )('is undone, or goes on where there is no way back: commit %i, %s', async (at, when) => {
    const world = new World();
    const controller = new AbortController();
    let commits = 0;
    const store = watched(async (writes, inner) => {
      commits += 1;
      if (commits === at && when === 'before') controller.abort(new Error('enough'));
      const commit = await inner.commit(writes);
      if (commits === at && when === 'after') controller.abort(new Error('enough'));
      return commit;
    });

    const { status, error } = await trip(world).run('1', {}, { store, signal: controller.signal });

    // The fifth commit says that the pivot begins.
    if (at >= 5) {
      expect([status, ...world.log]).toEqual(['completed', 'a', 'b', 'c', 'p', 'd']);
    } else {
      expect([status, error?.message]).toEqual(['cancelled', 'enough']);
      expect([...world.standing]).toEqual([]);
      expect(world.log).not.toContain('p');
    }
  });

  // R:I1: the signal that aborted the saga does not reach compensations.
  it('shields compensations from the signal, and aborts what runs', async () => {
    const world = new World();
    const controller = new AbortController();
    const signals: boolean[] = [];
    const booking = saga('trip')
      .step('a', world.step('a', { undo: ({ signal }) => signals.push(signal.aborted) }))
      .step(
        'b',
        world.step('b', {
          run: ({ signal }) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(signal.reason));
              controller.abort(new Error('enough'));
            }),
        }),
      );

    const result = await booking.run('1', {}, { signal: controller.signal });

    expect(world.log).toEqual(['a', 'b', 'undo b undefined', 'undo a a']);
    expect(signals).toEqual([false]);
    expect(result).toMatchObject({ status: 'cancelled', error: { message: 'enough' } });
  });

  it('is undone from the result of a step that came to its end all the same', async () => {
    const world = new World();
    const controller = new AbortController();
    const run = (): string => {
      controller.abort();
      return 'done';
    };

    const booking = saga('trip').step('a', world.step('a', { run })).step('b', world.step('b'));
    const { status } = await booking.run('1', {}, { signal: controller.signal });

    expect([status, ...world.log]).toEqual(['cancelled', 'a', 'undo a done']);
  });

  it('does not wait for the next attempt, and has nothing to undo of those that failed', async () => {
    const world = new World();
    const env = new SimEnv();
    const controller = new AbortController();
    const booking = saga('trip').step('a', {
      ...world.failing('a'),
      retry: { maxAttempts: 5, baseMs: 60_000 },
    });

    const running = booking.run('1', {}, { env, signal: controller.signal });
    await env.settle();
    controller.abort();
    const { status } = await running;

    expect([status, ...world.log]).toEqual(['cancelled', 'a']);
    expect(env.pendingTimers()).toEqual([]);
  });

  it('stays failed when it had failed before, and the reason comes too late', async () => {
    const world = new World();
    const controller = new AbortController();
    const undo = (): void => controller.abort(new Error('too late'));
    const booking = saga('trip').step('a', world.step('a', { undo })).step('b', world.failing('b'));

    const { status, error } = await booking.run('1', {}, { signal: controller.signal });

    expect([status, error?.message]).toEqual(['compensated', 'b failed']);
  });

  it('says compensation-failed when it could not be undone', async () => {
    const world = new World();
    const controller = new AbortController();
    const undo = (): never => {
      throw new Error('no');
    };
    const booking = saga('trip')
      .step('a', world.step('a', { undo, compensation: { retry: false } }))
      .step('b', world.step('b', { run: () => controller.abort() }));

    const { status } = await booking.run('1', {}, { signal: controller.signal });

    expect(status).toBe('compensation-failed');
  });

  it('is never begun by a signal that had aborted: the reason comes back', async () => {
    const world = new World();
    const commits: unknown[] = [];
    const store = watched((writes, inner) => {
      commits.push(writes);
      return inner.commit(writes);
    });
    const why = new Error('before');

    await expect(trip(world).run('1', {}, { store, signal: AbortSignal.abort(why) })).rejects.toBe(
      why,
    );

    expect([commits, world.log]).toEqual([[], []]);
  });

  it('leaves no listener on the signal', async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = controller.signal;
    Object.assign(controller.signal, {
      addEventListener(this: AbortSignal, ...args: Parameters<typeof addEventListener>) {
        listeners += 1;
        addEventListener.apply(this, args);
      },
      removeEventListener(this: AbortSignal, ...args: Parameters<typeof removeEventListener>) {
        listeners -= 1;
        removeEventListener.apply(this, args);
      },
    });

    await trip(new World()).run('1', {}, { signal: controller.signal });

    expect(listeners).toBe(0);
  });
});

describe('progress', () => {
  it('is told in order, and what the listener throws changes nothing', async () => {
    const world = new World();
    const events: SagaEvent[] = [];
    const onProgress = (event: SagaEvent): never => {
      events.push(event);
      throw new Error('listener');
    };

    const { status } = await trip(world).run('1', {}, { onProgress });

    expect(status).toBe('completed');
    expect(
      events.map((event) => ('step' in event ? `${event.type} ${event.step}` : event.type)),
    ).toEqual([
      'step-started a',
      'step-completed a',
      'step-started both/b',
      'step-started both/c',
      'step-completed both/b',
      'step-completed both/c',
      'step-started p',
      'step-completed p',
      'step-started d',
      'step-completed d',
      'finished',
    ]);
  });

  it('may come from a listener that returns a promise which fails', async () => {
    const onProgress = (): Promise<never> => Promise.reject(new Error('listener'));

    const { status } = await trip(new World()).run('1', {}, { onProgress: onProgress as never });

    expect(status).toBe('completed');
  });

  it('of one saga may begin another', async () => {
    const world = new World();
    const booking = trip(world);
    const inner: Promise<unknown>[] = [];
    const open = gate();
    const onProgress = ({ type }: SagaEvent): void => {
      if (type === 'finished') inner.push(booking.run('2', {}).then(open.open));
    };

    await booking.run('1', {}, { onProgress });
    await open.opened;
    await turn();

    expect(world.log.length).toBe(10);
  });
});
