import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  type Context,
  compose,
  type Execution,
  MessageBus,
  type Policy,
  retry,
  timeout,
  type Work,
} from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, gate, hang, outcomeOf } from './books.ts';

/** Calls again at once, up to `times` in all; of the simplest make, and not of the library. */
function again(times: number): Policy {
  return {
    async execute<T>(fn: Work<T>, signal?: AbortSignal): Promise<T> {
      for (let attempt = 1; ; attempt++) {
        try {
          return await fn({ signal, attempt, remainingMs: Infinity } as Execution);
        } catch (error) {
          if (attempt === times || signal?.aborted === true) throw error;
        }
      }
    },
  };
}

const NOTHING = {} as Execution;

/** Calls once, and never comes to an end when that fails. */
const stalling = againAfter(hang());

/** Calls again when something else has happened. */
function againAfter(event: Promise<unknown>): Policy {
  return {
    async execute(fn) {
      try {
        return await fn(NOTHING);
      } catch {
        await event;
        return fn(NOTHING);
      }
    },
  };
}

/** Ends when it is told to. */
function untilAborted(_request: unknown, { signal }: Pick<Context, 'signal'>): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

/** Fails so often, and then answers with what it was asked. */
function failing(times: number): (message: { readonly payload: unknown }) => unknown {
  let calls = 0;
  return ({ payload }) => {
    if (++calls <= times) throw new Error(`no ${calls}`);
    return payload;
  };
}

function quiet(bus: MessageBus): void {
  expectBalanced(bus);
  expect(bus.inspect()).toMatchObject({ inFlight: 0, queued: 0, pendingRequests: 0 });
}

describe.each(['real', 'simulated'] as const)('policies on requests, on the %s Env', (env) => {
  // R:H5
  it('asks again with any policy, and each attempt is a request of its own', async () => {
    const { bus, settle } = makeBus(env);
    const seen: unknown[][] = [];
    const answer = failing(2);
    bus.register('a').serve('q', (message, context) => {
      seen.push([message.id, message.correlationId, context.idempotencyKey]);
      return answer(message);
    });

    const asked = outcomeOf(bus.request('q', 7, { policy: again(3) }));
    await settle();

    expect(asked.now()).toEqual({ value: 7 });
    expect(new Set(seen.map(([id]) => id)).size).toBe(3);
    expect(new Set(seen.map(([, conversation]) => conversation)).size).toBe(1);
    expect(seen[0]?.[1]).toBe(seen[0]?.[0]);
    expect(new Set(seen.map(([, , key]) => key)).size).toBe(1);
    expect(bus.inspect()).toMatchObject({ admitted: 3, handled: 1, deadLettered: 2 });
    quiet(bus);
  });

  // R:F6
  it('never asks again by itself', async () => {
    const { bus, settle } = makeBus(env);
    const policy: Policy = { execute: async (fn) => fn(NOTHING) };
    bus.register('a').serve('q', failing(1));

    const asked = [outcomeOf(bus.request('q', 1)), outcomeOf(bus.request('q', 2, { policy }))];
    await settle();

    expect(asked[0]?.now()).toMatchObject({ error: { message: 'no 1' } });
    expect(asked[1]?.now()).toEqual({ value: 2 });
    expect(bus.inspect().admitted).toBe(2);
  });

  it('lets an idempotent responder do once what is asked twice, with the key of the caller', async () => {
    const { bus, settle } = makeBus(env);
    let done = 0;
    const keys: string[] = [];
    const pay = (_request: unknown, context: { readonly idempotencyKey: string }) => {
      keys.push(context.idempotencyKey);
      return ++done;
    };
    bus.register('bank').serve('pay', pay, { idempotent: { windowMs: 60_000 } });
    // Twice although the first succeeds: as when the answer is lost on its way.
    const twice: Policy = {
      async execute(fn) {
        await fn(NOTHING);
        return fn(NOTHING);
      },
    };

    const own = outcomeOf(bus.request('pay', 1, { policy: twice }));
    const given = outcomeOf(bus.request('pay', 1, { policy: twice, idempotencyKey: 'bill-7' }));
    await settle();

    expect([own.now(), given.now()]).toEqual([{ value: 1 }, { value: 2 }]);
    expect(keys[1]).toBe('bill-7');
    expect(bus.inspect().admitted).toBe(4);
  });

  it('does not remember a failed answer as the answer', async () => {
    const { bus, settle } = makeBus(env);
    const sync = failing(1);
    const late = failing(1);
    const agent = bus.register('a');
    agent.serve('sync', sync, { idempotent: { windowMs: 60_000 } });
    agent.serve('late', async (message) => late(message), { idempotent: { windowMs: 60_000 } });

    const asked = ['sync', 'late'].map((topic) =>
      outcomeOf(bus.request(topic, topic, { policy: again(2) })),
    );
    await settle();

    expect(asked.map((one) => one.now())).toEqual([{ value: 'sync' }, { value: 'late' }]);
  });

  it('takes the time of the whole call for all attempts', async () => {
    const { bus, settle } = makeBus(env);
    const left: number[] = [];
    const policy = again(2);
    bus.register('a').serve('q', (_request, context) => {
      left.push(context.remainingMs);
      throw new Error('no');
    });

    const asked = outcomeOf(bus.request('q', 1, { policy, timeoutMs: 10_000 }));
    await settle();

    expect(asked.now()).toMatchObject({ error: { message: 'no' } });
    expect(left).toHaveLength(2);
    expect(left.every((ms) => ms > 9_000 && ms <= 10_000)).toBe(true);
  });

  it('gives up with the reason of the signal, also between two attempts', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    agent.serve('fails', failing(9));
    agent.serve('hangs', untilAborted);
    const aborts = new AbortController();
    const { signal } = aborts;

    const between = outcomeOf(bus.request('fails', 1, { policy: stalling, signal }));
    const within = outcomeOf(bus.request('hangs', 1, { policy: stalling, signal }));
    await settle();
    expect([between.now(), within.now()]).toEqual(['pending', 'pending']);
    aborts.abort('enough');
    await settle();

    expect([between.now(), within.now()]).toEqual([{ error: 'enough' }, { error: 'enough' }]);
    expect(bus.inspect()).toMatchObject({ pendingRequests: 0, deadLettered: 1, cancelled: 1 });
    quiet(bus);
  });

  it('ends with the handler that asks', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('b').serve('inner', failing(9));
    let inner: unknown;
    bus.register('a').serve('outer', async (_request, context) => {
      await context.request('inner', 1, { policy: stalling }).catch((error) => {
        inner = error;
        throw error;
      });
    });
    const aborts = new AbortController();

    const asked = outcomeOf(bus.request('outer', 1, { signal: aborts.signal }));
    await settle();
    aborts.abort(new Error('enough'));
    await settle();

    expect(asked.now()).toMatchObject({ error: { message: 'enough' } });
    expect(inner).toMatchObject({ message: 'enough' });
    quiet(bus);
  });

  it('refuses what is no policy', async () => {
    const { bus } = makeBus(env);
    bus.register('a').serve('q', () => 1);

    for (const policy of [null, 7, {}, 'retry'] as never[]) {
      await expect(bus.request('q', 1, { policy })).rejects.toThrow(TypeError);
      await expect(bus.gather('q', 1, { policy })).rejects.toThrow(TypeError);
      await expect(bus.stream('q', 1, { policy }).next()).rejects.toThrow(TypeError);
    }
    expect(bus.inspect().admitted).toBe(0);
  });

  it('survives a policy that throws, and one that calls late', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('q', () => 1);
    let late: (() => PromiseLike<unknown>) | undefined;
    const throwing = {
      execute: () => {
        throw new Error('broken policy');
      },
    };
    const keeping = {
      execute: async (fn: Work<unknown>) => {
        late = async () => fn(NOTHING);
        return 'own answer';
      },
    };

    const asked = [throwing, keeping].map((policy) =>
      outcomeOf(bus.request('q', 1, { policy: policy as Policy })),
    );
    await settle();
    await expect(late?.()).rejects.toBeDefined();

    expect(asked[0]?.now()).toMatchObject({ error: { message: 'broken policy' } });
    expect(asked[1]?.now()).toEqual({ value: 'own answer' });
    expect(bus.inspect().admitted).toBe(0);
  });

  it('calls off the attempts that a policy no longer waits for', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('q', untilAborted);
    const hedge: Policy = {
      async execute(fn) {
        void Promise.resolve(fn(NOTHING)).catch(() => {});
        return 'enough' as never;
      },
    };

    const asked = outcomeOf(bus.request('q', 2, { policy: hedge }));
    await settle();

    expect(asked.now()).toEqual({ value: 'enough' });
    quiet(bus);
  });

  // R:H5
  it('asks each of a gather with the policy, and keeps who failed all the same', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('ann').serve('vote', failing(1));
    bus.register('bob').serve('vote', failing(9));
    bus.register('cat').serve('vote', failing(0));

    const asked = outcomeOf(bus.gather('vote', 'tea', { policy: again(2) }));
    await settle();

    expect(asked.now()).toMatchObject({
      value: {
        ok: [
          { from: 'cat', value: 'tea' },
          { from: 'ann', value: 'tea' },
        ],
        failed: [{ from: 'bob', error: { message: 'no 2' } }],
        reason: 'all',
      },
    });
    expect(bus.inspect().admitted).toBe(5);
    quiet(bus);
  });

  it('aborts or leaves the stragglers of a gather, and asks none of them again', async () => {
    const { bus, settle } = makeBus(env);
    const doors = [gate(), gate()];
    for (const stragglers of ['abort', 'run'] as const) {
      const door = doors[stragglers === 'run' ? 1 : 0];
      bus.register(`slow-${stragglers}`).serve(stragglers, async () => {
        await door?.opened;
        throw new Error('late');
      });
      bus.register(`quick-${stragglers}`).serve(stragglers, () => 1);
    }

    const until = (so: { readonly ok: readonly unknown[] }) => so.ok.length === 1;
    const [aborted, ran] = (['abort', 'run'] as const).map((stragglers) =>
      outcomeOf(bus.gather(stragglers, 1, { policy: again(3), until, stragglers })),
    );
    await settle();
    for (const door of doors) door.open();
    await settle();

    expect(aborted?.now()).toMatchObject({ value: { cancelled: [{ from: 'slow-abort' }] } });
    expect(ran?.now()).toMatchObject({ value: { pending: ['slow-run'] } });
    expect(bus.inspect()).toMatchObject({ admitted: 4, lateReplies: 0 });
    quiet(bus);
  });

  it('begins a stream again until its first chunk, and never after it', async () => {
    const { bus, settle } = makeBus(env);
    let calls = 0;
    bus.register('a').serve('count', async function* (request) {
      if (++calls === 1) throw new Error('before');
      yield 1;
      yield 2;
      if (request.payload === 'fail') throw new Error('after');
      return 'done';
    });
    const read = async (payload: string) => {
      const stream = bus.stream('count', payload, { policy: again(3) });
      const seen: unknown[] = [];
      try {
        for await (const chunk of stream) seen.push(chunk);
        seen.push(await stream.result);
      } catch (error) {
        seen.push((error as Error).message);
      }
      return seen;
    };

    const good = outcomeOf(read('good'));
    await settle();
    const bad = outcomeOf(read('fail'));
    await settle();

    expect(good.now()).toEqual({ value: [1, 2, 'done'] });
    expect(bad.now()).toEqual({ value: [1, 2, 'after'] });
    expect(calls).toBe(3);
    quiet(bus);
  });

  it('ends a stream that never begins with the last error, or with its answer', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    agent.serve('fails', failing(9));
    agent.serve('answers', failing(1));

    const [failed, answered] = ['fails', 'answers'].map((topic) =>
      outcomeOf(bus.stream(topic, 7, { policy: again(2) }).next()),
    );
    await settle();

    expect(failed?.now()).toMatchObject({ error: { message: 'no 2' } });
    expect(answered?.now()).toEqual({ value: { done: true, value: 7 } });
    quiet(bus);
  });

  it('cancels a stream by its reader and by its signal, in any attempt and after the policy', async () => {
    const { bus, settle } = makeBus(env);
    const ended: string[] = [];
    bus.register('a', { concurrency: 4 }).serve('count', async function* (request) {
      try {
        for (let n = 1; ; n++) yield n;
      } finally {
        ended.push(String(request.payload));
      }
    });
    const aborts = new AbortController();
    const { signal } = aborts;

    const [left, aborted] = ['left', 'aborted'].map((payload) =>
      bus.stream('count', payload, { policy: again(3), signal }),
    );
    const first = outcomeOf(Promise.all([left?.next(), aborted?.next()]));
    await settle();
    expect(first.now()).toMatchObject({ value: [{ value: 1 }, { value: 1 }] });
    left?.cancel();
    await settle();
    aborts.abort('enough');
    await settle();

    expect(ended).toEqual(['left', 'aborted']);
    const end = outcomeOf((aborted as NonNullable<typeof aborted>).next());
    await settle();
    expect(end.now()).toEqual({ error: 'enough' });
    quiet(bus);
  });

  // R:D2
  it.each(['drain', 'abort'] as const)(
    'leaves nothing behind when the bus is closed by %s',
    async (mode) => {
      const { bus, settle } = makeBus(env);
      const agent = bus.register('a');
      agent.serve('fails', failing(9));
      agent.serve('hangs', untilAborted);

      const asked = ['fails', 'hangs'].map((topic) =>
        outcomeOf(bus.request(topic, 1, { policy: stalling, timeoutMs: Infinity })),
      );
      await settle();
      const closing = bus.close({ mode, timeoutMs: 0 });
      await settle();
      await closing;
      await settle();

      expect(asked.map((one) => one.now())).toMatchObject([
        { error: { code: 'TELLASK_CLOSED' } },
        { error: { code: 'TELLASK_CLOSED' } },
      ]);
      expectBalanced(bus);
    },
  );

  it('asks no more for an agent that has left', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('fails', failing(9));
    const asker = bus.register('asker');

    const asked = outcomeOf(asker.request('fails', 1, { policy: stalling }));
    await settle();
    await asker.leave();
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_REVOKED' } });
    quiet(bus);
  });

  it('asks no more with a handle that was revoked', async () => {
    const { bus, settle } = makeBus(env);
    const door = gate();
    bus.register('a').serve('fails', failing(9));
    const lent = bus.register('asker').restrict({ request: ['fails'] });

    const asked = outcomeOf(lent.request('fails', 1, { policy: againAfter(door.opened) }));
    await settle();
    lent.revoke();
    door.open();
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_REVOKED' } });
    expect(bus.inspect().admitted).toBe(1);
  });

  it('is called off with its conversation, also between two attempts', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('fails', failing(9));

    const asked = outcomeOf(bus.request('fails', 1, { policy: stalling, correlationId: 'trip' }));
    await settle();
    bus.conversation('trip').cancel();
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_CANCELLED' } });
    quiet(bus);
  });

  it('lets a drain wait for what is asked again', async () => {
    const { bus, settle } = makeBus(env);
    const door = gate();
    bus.register('a').serve('q', failing(1));

    const asked = outcomeOf(bus.request('q', 7, { policy: againAfter(door.opened) }));
    await settle();
    const drained = outcomeOf(bus.drain());
    await settle();
    expect(drained.now()).toBe('pending');
    door.open();
    await settle();

    expect(asked.now()).toEqual({ value: 7 });
    expect(drained.now()).toEqual({ value: true });
  });

  it('waits once for a responder to come, and then asks it with the policy', async () => {
    const { bus, settle } = makeBus(env);

    const asked = outcomeOf(bus.request('q', 7, { policy: again(2), waitForMs: 1_000 }));
    await settle();
    bus.register('a').serve('q', failing(1));
    await settle();

    expect(asked.now()).toEqual({ value: 7 });
  });
});

describe('what a call with a policy leaves behind', () => {
  it('is no timer and no listener, however it ends', async () => {
    const simulated = new SimEnv({ seed: 1 });
    const bus = new MessageBus({ env: simulated });
    const { signal } = new AbortController();
    const agent = bus.register('a');
    agent.serve('fails', failing(9));
    agent.serve('answers', failing(1));
    agent.serve('chunks', async function* () {
      yield 1;
    });
    const brief = compose(again(2), timeout({ timeoutMs: 100 }));

    for (const policy of [again(2), retry({ baseMs: 0 }), brief]) {
      const options = { policy, signal };
      for (const topic of ['fails', 'answers']) {
        const asked = outcomeOf(bus.request(topic, 1, options));
        await simulated.advance(1);
        expect(asked.now()).not.toBe('pending');
      }
      const stream = bus.stream('chunks', 1, options);
      const read = outcomeOf(stream.next().then(() => stream.next()));
      await simulated.advance(1);
      expect(read.now()).toMatchObject({ value: { done: true } });
    }

    expect(simulated.pendingTimers()).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('is no attempt when the bus is being closed', async () => {
    const { bus, clock } = createTestBus({ graceMs: 1_000 });
    const agent = bus.register('a');
    agent.serve('fails', failing(9));
    agent.serve('hangs', hang);
    const policy = retry({ baseMs: 100, jitter: 'none' });

    const asked = outcomeOf(bus.request('fails', 1, { policy }));
    void bus.request('hangs', 1).catch(() => {});
    await clock.advance(10);
    const { admitted } = bus.inspect();
    const closing = bus.close({ timeoutMs: 0 });
    await clock.advance(500);

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_CLOSED' } });
    expect(bus.inspect().admitted).toBe(admitted);
    await clock.advance(1_000);
    await closing;
  });

  it('is no chunk of an attempt that was given up', async () => {
    const { bus, clock, settle } = createTestBus({ graceMs: 1_000 });
    const door = gate();
    let calls = 0;
    bus.register('a', { concurrency: 2 }).serve('count', async function* () {
      const call = ++calls;
      if (call === 1) await door.opened;
      yield `chunk of ${call}`;
      await door.opened;
    });

    const policy = compose(retry({ baseMs: 0 }), timeout({ timeoutMs: 10 }));
    const stream = bus.stream('count', 1, { policy });
    const seen: unknown[] = [];
    const read = (async () => {
      for await (const chunk of stream) seen.push(chunk);
    })();
    await clock.advance(20);
    door.open();
    await settle();
    await read;

    expect(seen).toEqual(['chunk of 2']);
  });

  it('lets a responder say what it has when the budget of the asker is over', async () => {
    const { bus, clock, settle } = createTestBus({ graceMs: 1_000 });
    let error: unknown;
    const wrapUp = () => 'so far';
    bus.register('inner').serve('inner', untilAborted, { wrapUp });
    bus.register('outer').serve('outer', async (_request, context) => {
      const policy = retry();
      error = await context.request('inner', 1, { policy }).catch((reason) => reason);
      throw error;
    });

    const asked = outcomeOf(bus.request('outer', 1, { budget: { ms: 50 } }));
    await clock.advance(50);
    await settle();

    expect(error).toMatchObject({ code: 'TELLASK_BUDGET', partial: 'so far' });
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_BUDGET' } });
  });
});

describe('the time of a call with a policy', () => {
  // R:H2
  it('ends when the policy would go on waiting, with the real error if there is one', async () => {
    const { bus, clock, settle } = createTestBus();
    const held: Policy = { execute: hang };
    bus.register('a').serve('q', failing(9));

    const [failed, never] = [stalling, held].map((policy) =>
      outcomeOf(bus.request('q', 1, { policy, timeoutMs: 50 })),
    );
    await settle();
    await clock.advance(49);
    expect([failed?.now(), never?.now()]).toEqual(['pending', 'pending']);
    await clock.advance(1);
    await settle();

    expect(failed?.now()).toMatchObject({ error: { message: 'no 1' } });
    expect(never?.now()).toMatchObject({
      error: { code: 'TELLASK_TIMEOUT', where: 'its policy held it back' },
    });
  });

  it('is what is left of it for a later attempt', async () => {
    const { bus, clock, settle } = createTestBus();
    const door = gate();
    let calls = 0;
    bus.register('a').serve('q', () => {
      if (++calls === 1) throw new Error('no 1');
      return hang();
    });

    const policy = againAfter(door.opened);
    const asked = outcomeOf(bus.request('q', 1, { policy, timeoutMs: 50 }));
    await clock.advance(20);
    door.open();
    await settle();
    await clock.advance(29);
    expect(asked.now()).toBe('pending');
    await clock.advance(1);
    await settle();

    expect(calls).toBe(2);
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_TIMEOUT', timeoutMs: 30 } });
  });
});
