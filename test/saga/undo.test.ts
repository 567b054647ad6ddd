import { describe, expect, it } from 'vitest';
import { MemoryStore, type SagaEvent, saga, ValidationError } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { gate, hang } from '../flow/books.ts';
import { story, turn, World } from './world.ts';

const full = new Error('full');
const refused = new ValidationError({ what: 'output', topic: 'flight.book' }, []);

describe('a saga that fails', () => {
  // R:I1
  it('undoes in reverse what was done, and not what failed', async () => {
    const world = new World();
    const trip = saga('trip')
      .step('a', world.step('a'))
      .step('b', world.step('b'))
      .step('c', world.failing('c', full))
      .step('d', world.step('d'));

    const result = await trip.run('1', {});

    expect(world.log).toEqual(['a', 'b', 'c', 'undo b b', 'undo a a']);
    expect(world.standing.size).toBe(0);
    expect(result).toMatchObject({
      status: 'compensated',
      results: { a: 'a', b: 'b' },
      uncompensated: [],
      error: { name: 'Error', message: 'full' },
    });
  });

  // R:I1
  it('undoes the members of a group at the same time, then what was before', async () => {
    const world = new World();
    const open = gate();
    const trip = saga('trip')
      .step('a', world.step('a'))
      .parallel('both', {
        b: world.step('b', { undo: () => open.opened }),
        c: world.step('c', { undo: () => open.opened }),
      })
      .step('d', world.failing('d', full));

    const running = trip.run('1', {});
    await turn();
    const meanwhile = [...world.log];
    open.open();
    const { status } = await running;

    expect(meanwhile).toEqual(['a', 'b', 'c', 'd', 'undo b b', 'undo c c']);
    expect(world.log.slice(meanwhile.length)).toEqual(['undo a a']);
    expect(status).toBe('compensated');
  });

  // R:I2
  it('calls off the others of a group, waits for them, and undoes them then', async () => {
    const world = new World();
    const ended = gate();
    const trip = saga('trip').parallel('both', {
      a: world.failing('a', full),
      b: world.step('b', {
        run: ({ signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              world.log.push(`${signal.reason.code} because of ${signal.reason.because}`);
              void ended.opened.then(() => reject(signal.reason));
            });
          }),
      }),
      c: world.step('c', {
        run: ({ signal }) =>
          new Promise((resolve) => signal.addEventListener('abort', () => resolve('late'))),
      }),
    });

    const running = trip.run('1', {});
    await turn();
    expect(world.log).toEqual(['a', 'b', 'c', 'TELLASK_SAGA_STEP_ABORTED because of both/a']);
    ended.open();
    const result = await running;

    // What was called off may have happened; what came to its end all the same is known.
    expect(world.log.slice(4)).toEqual(['undo b undefined', 'undo c late']);
    expect(result).toMatchObject({
      status: 'compensated',
      results: {},
      error: { message: 'full' },
    });
    expect(world.standing.size).toBe(0);
  });

  // R:I2
  it.each([
    ['its own time-out', Object.assign(new Error('late'), { code: 'TELLASK_TIMEOUT' })],
    ['a connection that broke', new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } })],
    ['an abort', new DOMException('gone', 'AbortError')],
    ['an answer that the contract refuses', refused],
    ['a result that is not JSON', undefined],
  ])('undoes a step of which nobody knows whether it happened: %s', async (_name, error) => {
    const world = new World();
    const run = (): unknown => {
      if (error === undefined) return new Date(0);
      throw error;
    };
    const trip = saga('trip').step('a', world.step('a', { run }));

    const result = await trip.run('1', {});

    expect(world.log).toEqual(['a', 'undo a undefined']);
    expect(result.status).toBe('compensated');
  });

  // R:I2
  it('lets a step say itself which errors leave it open', async () => {
    const world = new World();
    const isUnknown = (error: unknown): boolean => error === full;
    const broken = (): boolean => {
      throw new Error('judge');
    };
    const run = (): never => {
      throw full;
    };
    const trip = saga('trip').parallel('all', {
      a: { ...world.failing('a', full), isUnknown },
      b: { ...world.step('b', { run }), isUnknown: () => false },
      c: { ...world.failing('c', full), isUnknown: broken },
    });

    await trip.run('1', {});

    expect(world.log.slice(3)).toEqual(['undo a undefined', 'undo c undefined']);
  });

  // R:I2: one attempt that may have happened is enough.
  it('remembers an attempt that may have happened over one that has not', async () => {
    const world = new World();
    const env = new SimEnv();
    const errors = [Object.assign(new Error('late'), { code: 'TELLASK_TIMEOUT' }), full];
    const run = (): never => {
      throw errors.shift();
    };
    const trip = saga('trip').step('a', world.step('a', { run, retry: { maxAttempts: 2 } }));

    const running = trip.run('1', {}, { env });
    await env.run();
    const { status, error } = await running;

    expect(world.log).toEqual(['a', 'a', 'undo a undefined']);
    expect([status, error?.message]).toEqual(['compensated', 'full']);
  });

  // R:I1
  it('goes on when a compensation has failed for good, and names what was not undone', async () => {
    const world = new World();
    const store = new MemoryStore();
    const undo = (): never => {
      throw new Error('no refund');
    };
    const trip = saga('trip')
      .step('a', world.step('a'))
      .step('b', world.step('b', { undo, compensation: { retry: false } }))
      .step('c', world.step('c'))
      .step('d', world.failing('d', full));

    const result = await trip.run('1', {}, { store });

    expect(world.log).toEqual(['a', 'b', 'c', 'd', 'undo c c', 'undo b b', 'undo a a']);
    expect(result).toMatchObject({
      status: 'compensation-failed',
      uncompensated: [{ step: 'b', error: { message: 'no refund' } }],
      error: { message: 'full' },
    });
    expect([...world.standing]).toEqual(['b']);
    expect(story(store)).toEqual([
      'running',
      'running a:started',
      'running a:completed b:started',
      'running a:completed b:completed c:started',
      'running a:completed b:completed c:completed d:started',
      'compensating a:completed b:completed c:undoing d:failed',
      'compensating a:completed b:undoing c:undone d:failed',
      'compensating a:undoing b:undo-failed c:undone d:failed',
      'compensation-failed a:undone b:undo-failed c:undone d:failed',
    ]);
  });

  // R:I2: own policies and counters for step and undo.
  it('tries a step and its compensation again, each by its own policy', async () => {
    const world = new World();
    const env = new SimEnv();
    const events: SagaEvent[] = [];
    const keys = new Set<string>();
    const seen: string[] = [];
    const failTwice = (what: string) => (context: { attempt: number; idempotencyKey: string }) => {
      seen.push(`${what} ${context.attempt}`);
      keys.add(context.idempotencyKey);
      if (context.attempt < 3) throw new Error(what);
    };
    const trip = saga('trip')
      .step('a', {
        ...world.step('a', { run: failTwice('run'), undo: failTwice('undo') }),
        retry: { maxAttempts: 3, baseMs: 1_000, jitter: 'none' },
        compensation: { retry: { maxAttempts: 3, baseMs: 10, jitter: 'none' } },
      })
      .step('b', world.failing('b', full));

    const running = trip.run('1', {}, { env, onProgress: (event) => void events.push(event) });
    await env.advance(3_000);
    await env.advance(30);
    const { status } = await running;

    expect(status).toBe('compensated');
    expect(seen).toEqual(['run 1', 'run 2', 'run 3', 'undo 1', 'undo 2', 'undo 3']);
    // R:I2: stable idempotency keys.
    expect([...keys]).toEqual(['trip/1/a', 'trip/1/a/undo']);
    const said = events.map((event) =>
      'step' in event ? `${event.type} ${event.step}` : event.type,
    );
    expect(said).toEqual([
      'step-started a',
      'step-retried a',
      'step-retried a',
      'step-completed a',
      'step-started b',
      'step-failed b',
      'compensation-started a',
      'compensation-retried a',
      'compensation-retried a',
      'compensated a',
      'finished',
    ]);
  });

  it('tries a compensation three times unless it is told otherwise', async () => {
    const world = new World();
    const env = new SimEnv();
    const undo = (): never => {
      throw new Error('no');
    };
    const trip = saga('trip').step('a', world.step('a', { undo })).step('b', world.failing('b'));

    const running = trip.run('1', {}, { env });
    await env.run();

    expect((await running).status).toBe('compensation-failed');
    expect(world.log.filter((line) => line === 'undo a a').length).toBe(3);
  });

  it('aborts a step over its time, gives it a second, and undoes it', async () => {
    const world = new World();
    const env = new SimEnv();
    const heeds = ({ signal }: { signal: AbortSignal }): Promise<never> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('stopped')));
      });
    const trip = saga('trip').step('a', world.step('a', { run: heeds, timeoutMs: 50 }));

    const running = trip.run('1', {}, { env });
    await env.advance(49);
    const before = world.log.length;
    await env.advance(1);
    const result = await running;

    expect(before).toBe(1);
    expect(world.log).toEqual(['a', 'undo a undefined']);
    expect(result).toMatchObject({
      status: 'compensated',
      error: { code: 'TELLASK_SAGA_STEP_TIMEOUT', message: 'Step a took longer than 50 ms' },
    });
  });

  // R:I1: never compensated while one effect may stand.
  it('does not say compensated of a step that was undone while its run went on', async () => {
    const world = new World();
    const env = new SimEnv();
    const open = gate();
    let late: unknown;
    const trip = saga('trip').step(
      'a',
      world.step('a', {
        timeoutMs: 50,
        run: async (context) => {
          await open.opened;
          late = await context.request('x', {}).catch((error: { code: string }) => error.code);
        },
      }),
    );

    const running = trip.run('1', {}, { env });
    await env.advance(1_049);
    const before = [...world.log];
    await env.advance(1);
    const result = await running;
    open.open();
    await turn();

    expect(before).toEqual(['a']);
    expect(world.log).toEqual(['a', 'undo a undefined']);
    expect(result).toMatchObject({
      status: 'compensation-failed',
      uncompensated: [{ step: 'a', error: { code: 'TELLASK_SAGA_STEP_ABANDONED' } }],
    });
    expect(late).toBe('TELLASK_FENCED');
  });

  it('gives up a compensation that hangs, and the rest goes on', async () => {
    const world = new World();
    const env = new SimEnv();
    const trip = saga('trip')
      .step('a', world.step('a'))
      .step('b', world.step('b', { undo: hang, compensation: { retry: false, timeoutMs: 100 } }))
      .step('c', world.failing('c', full));

    const running = trip.run('1', {}, { env });
    await env.advance(1_100);
    const result = await running;

    expect(world.log.at(-1)).toBe('undo a a');
    expect(result).toMatchObject({
      status: 'compensation-failed',
      uncompensated: [
        { step: 'b', error: { message: 'The compensation of step b took longer than 100 ms' } },
      ],
    });
    expect(env.pendingTimers()).toEqual([]);
  });

  it('passes over a step that has nothing to undo', async () => {
    const world = new World();
    const { compensate: _, ...reads } = world.step('b');
    const trip = saga('trip')
      .step('a', world.step('a'))
      .step('b', reads)
      .step('c', world.failing('c', full));

    const { status } = await trip.run('1', {});

    expect([status, ...world.log]).toEqual(['compensated', 'a', 'b', 'c', 'undo a a']);
  });
});

describe('a policy of any make', () => {
  it('calls the step, and a step that it leaves running is waited for', async () => {
    const world = new World();
    const env = new SimEnv();
    const open = gate();
    // Leaves at once, as a time-out of others does, and does not look back.
    const impatient = {
      execute: (fn: (execution: never) => unknown) => {
        void Promise.resolve(fn({} as never)).catch(() => {});
        return Promise.reject(new Error('impatient'));
      },
    };
    const trip = saga('trip')
      .step('a', world.step('a', { policy: impatient, run: () => open.opened.then(() => 'late') }))
      .step('b', world.failing('b', full));

    const running = trip.run('1', {}, { env });
    await turn();
    const meanwhile = [...world.log];
    open.open();
    await env.run();
    const { status } = await running;

    expect(meanwhile).toEqual(['a']);
    // It came to its end within the grace, so that its result is known.
    expect([status, ...world.log]).toEqual(['compensated', 'a', 'b', 'undo a late']);
  });

  it('runs nothing any more when it calls after it has ended', async () => {
    const world = new World();
    let late = (): unknown => undefined;
    // Answers by itself, and calls when nobody waits for it.
    const hasty = {
      execute: (fn: (execution: never) => unknown) => {
        late = () => Promise.resolve(fn({} as never)).catch((error) => error.code);
        return Promise.resolve('made up' as never);
      },
    };
    const trip = saga('trip')
      .step('a', world.step('a', { policy: hasty }))
      .step('b', world.failing('b', full));

    const { status } = await trip.run('1', {});

    expect(await late()).toBe('TELLASK_CANCELLED');
    expect([status, ...world.standing]).toEqual(['compensated']);
  });

  it('is told the time of the run, and what it leaves running may have happened when it fails', async () => {
    const world = new World();
    const env = new SimEnv();
    const bound: unknown[] = [];
    const impatient = {
      bind: (to: unknown) => void bound.push(to),
      execute: (fn: (execution: never) => unknown) => {
        void Promise.resolve(fn({} as never)).catch(() => {});
        return Promise.reject(new Error('impatient'));
      },
    };
    const run = ({ signal }: { signal: AbortSignal }): Promise<never> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    const trip = saga('trip').step('a', world.step('a', { policy: impatient, run }));

    const { status, error } = await trip.run('1', {}, { env });

    expect(bound).toEqual([env]);
    expect([status, error?.message]).toEqual(['compensated', 'impatient']);
    expect(world.log).toEqual(['a', 'undo a undefined']);
  });

  it('may refuse what a step returned: then the effect is there, and is undone', async () => {
    const world = new World();
    const picky = {
      execute: async (fn: (execution: never) => unknown) => {
        await fn({} as never);
        throw new Error('not good enough');
      },
    };
    const trip = saga('trip').step('a', world.step('a', { policy: picky }));

    const { status, error } = await trip.run('1', {});

    expect([status, error?.message, ...world.log]).toEqual([
      'compensated',
      'not good enough',
      'a',
      'undo a undefined',
    ]);
  });
});

describe('behind the pivot', () => {
  // R:I2
  it('undoes nothing, lets the others of a group end, and says failed-after-pivot', async () => {
    const world = new World();
    const { compensate: _, ...p } = world.step('p', { pivot: true });
    const { compensate: __, ...b } = world.failing('b', full);
    const { compensate: ___, ...c } = world.step('c', {
      run: ({ signal }) => turn().then(() => `${signal.aborted}`),
    });
    const trip = saga('trip')
      .step('a', world.step('a'))
      .step('p', p)
      .parallel('rest', { b, c })
      .step('d', { run: () => world.log.push('d') });

    const result = await trip.run('1', {});

    expect(world.log).toEqual(['a', 'p', 'b', 'c']);
    expect(result).toMatchObject({
      status: 'failed-after-pivot',
      error: { message: 'full' },
      uncompensated: [],
      results: { a: 'a', p: 'p' },
    });
    expect([...world.standing]).toEqual(['a', 'p', 'c']);
  });

  it('goes back when the pivot has failed, for then it has not happened', async () => {
    const world = new World();
    const { compensate: _, ...pivot } = world.failing('p', full);
    const trip = saga('trip')
      .step('a', world.step('a'))
      .step('p', { ...pivot, pivot: true });

    const { status } = await trip.run('1', {});

    expect([status, ...world.log]).toEqual(['compensated', 'a', 'p', 'undo a a']);
  });

  it('stays where it is when nobody knows whether the pivot happened', async () => {
    const world = new World();
    const { compensate: _, ...pivot } = world.failing('p', new DOMException('gone', 'AbortError'));
    const trip = saga('trip')
      .step('a', world.step('a'))
      .step('p', { ...pivot, pivot: true });

    const { status } = await trip.run('1', {});

    expect([status, ...world.log]).toEqual(['failed-after-pivot', 'a', 'p']);
  });
});
