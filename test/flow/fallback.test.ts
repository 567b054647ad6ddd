import { describe, expect, it } from 'vitest';
import { circuitBreaker, compose, MessageBus, retry } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, gate, hang, outcomeOf } from './books.ts';

/** What a call becomes; a delay of no time at all is a timer all the same. */
async function ended(call: Promise<unknown>, settle: () => Promise<void>): Promise<unknown> {
  const outcome = outcomeOf(call);
  await settle();
  await call.catch(() => {});
  return outcome.now();
}

const fails = (): never => {
  throw new Error('no');
};

describe.each(['real', 'simulated'] as const)('fallback agents, on the %s Env', (env) => {
  // F:D6
  it('asks the others, each once and in order, until one answers', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    for (const name of ['athena', 'ares', 'dionysus', 'hermes']) {
      bus.register(name).serve('q', (request, context) => {
        log.push(`${name} ${context.idempotencyKey === request.headers['idempotency-key']}`);
        return name === 'dionysus' ? 'wine' : fails();
      });
    }

    const fallback = ['ares', 'dionysus', 'hermes'];
    const asked = outcomeOf(bus.request('q', 1, { to: 'athena', fallback }));
    await settle();

    expect(asked.now()).toEqual({ value: 'wine' });
    expect(log).toEqual(['athena true', 'ares true', 'dionysus true']);
    expect(bus.inspect()).toMatchObject({ admitted: 3, handled: 1, deadLettered: 2 });
    expectBalanced(bus);
  });

  it('keeps all causes when all have failed, also of those who are not there', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('athena').serve('q', fails);
    bus.register('mute');

    const fallback = ['nobody', 'mute'];
    const asked = outcomeOf(bus.request('q', 1, { fallback }));
    await settle();

    expect(asked.now()).toMatchObject({
      error: {
        code: 'TELLASK_FALLBACK',
        errors: [
          { message: 'no' },
          { code: 'TELLASK_UNKNOWN_RECIPIENT' },
          { code: 'TELLASK_NO_RESPONDER' },
        ],
      },
    });
  });

  it('has others for the whole bus: for who was named, and for who was chosen', async () => {
    const { bus, settle } = makeBus(env, { fallback: { athena: ['dionysus'], ghost: ['athena'] } });
    bus.register('athena').serve('wisdom', fails);
    const dionysus = bus.register('dionysus');
    dionysus.serve('wine', () => 'not asked');
    const serving = dionysus.serve('wisdom', () => 'in wine');

    const chosen = outcomeOf(bus.request('wisdom', 1, { to: 'athena' }));
    const ghost = outcomeOf(bus.request('wisdom', 1, { to: 'ghost', fallback: ['dionysus'] }));
    const none = outcomeOf(bus.request('wisdom', 1, { to: 'athena', fallback: [] }));
    await settle();
    serving.unsubscribe();
    const unnamed = outcomeOf(bus.request('wisdom', 1));
    await settle();

    expect(chosen.now()).toEqual({ value: 'in wine' });
    expect(ghost.now()).toEqual({ value: 'in wine' });
    expect(none.now()).toMatchObject({ error: { message: 'no' } });
    expect(unnamed.now()).toMatchObject({
      error: {
        code: 'TELLASK_FALLBACK',
        errors: [{ message: 'no' }, { message: 'dionysus does not serve wisdom' }],
      },
    });
  });

  it('asks nobody else when the call was called off, or the bus is closed', async () => {
    const { bus, settle } = makeBus(env, { fallback: { athena: ['dionysus'] } });
    let asked = 0;
    bus.register('athena').serve('q', (_request, { signal }) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    });
    bus.register('dionysus').serve('q', () => ++asked);
    const aborts = new AbortController();

    const aborted = outcomeOf(bus.request('q', 1, { to: 'athena', signal: aborts.signal }));
    const cancelled = outcomeOf(bus.request('q', 1, { to: 'athena', correlationId: 'trip' }));
    await settle();
    aborts.abort('enough');
    bus.conversation('trip').cancel();
    await settle();
    const closed = outcomeOf(bus.request('q', 1, { to: 'athena' }));
    await settle();
    const closing = bus.close({ mode: 'abort' });
    await settle();
    await closing;
    await settle();

    expect(aborted.now()).toEqual({ error: 'enough' });
    expect(cancelled.now()).toMatchObject({ error: { code: 'TELLASK_CANCELLED' } });
    expect(closed.now()).toMatchObject({ error: { code: 'TELLASK_CLOSED' } });
    expect(asked).toBe(0);
    expectBalanced(bus);
  });

  it('asks another one when the first stops serving, and none when a newer call took its place', async () => {
    const { bus, settle } = makeBus(env, { fallback: { athena: ['dionysus'] } });
    const athena = bus.register('athena');
    athena.serve('news', () => 1, { key: () => 1, busy: 'latest' });
    const serving = athena.serve('q', () => 1);
    const dionysus = bus.register('dionysus');
    for (const topic of ['news', 'q']) dionysus.serve(topic, () => 'wine');
    athena.pause();

    const calls = ['news', 'news', 'q'].map((topic) =>
      outcomeOf(bus.request(topic, 1, { to: 'athena' })),
    );
    await settle();
    serving.unsubscribe();
    await settle();

    expect(calls.map((one) => one.now())).toMatchObject([
      { error: { code: 'TELLASK_CANCELLED', reason: 'superseded' } },
      'pending',
      { value: 'wine' },
    ]);
  });

  it('gives a stream to another one, unless it has begun', async () => {
    const { bus, settle } = makeBus(env, { fallback: { athena: ['dionysus'] } });
    bus.register('athena').serve('count', async function* (request) {
      if (request.payload === 'begun') yield 1;
      throw new Error('no');
    });
    bus.register('dionysus').serve('count', async function* () {
      yield 2;
    });
    const read = async (payload: string) => {
      const seen: unknown[] = [];
      try {
        for await (const chunk of bus.stream('count', payload, { to: 'athena' })) seen.push(chunk);
      } catch (error) {
        seen.push((error as Error).message);
      }
      return seen;
    };

    const [begun, not] = [outcomeOf(read('begun')), outcomeOf(read('not'))];
    await settle();

    expect([begun.now(), not.now()]).toEqual([{ value: [1, 'no'] }, { value: [2] }]);
  });

  it('leaves a gather alone: it has asked the others already', async () => {
    const { bus, settle } = makeBus(env, { fallback: { athena: ['dionysus'] } });
    bus.register('athena').serve('q', fails);
    bus.register('dionysus').serve('q', () => 1);

    const policy = retry({ maxAttempts: 1 });
    const gathered = outcomeOf(bus.gather('q', 1, { to: ['athena'], policy }));
    await settle();

    expect(gathered.now()).toMatchObject({ value: { failed: [{ from: 'athena' }] } });
    expect(bus.inspect().admitted).toBe(1);
    const fallback = ['dionysus'] as never;
    await expect(bus.gather('q', 1, { fallback } as never)).rejects.toThrow(TypeError);
  });

  it('comes after the policy, which is for the first alone', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    for (const name of ['athena', 'dionysus']) {
      bus.register(name).serve('q', () => {
        log.push(name);
        return fails();
      });
    }

    const policy = retry({ maxAttempts: 2, baseMs: 0 });
    const fallback = ['dionysus'];
    const asked = bus.request('q', 1, { to: 'athena', policy, fallback });

    expect(await ended(asked, settle)).toMatchObject({ error: { code: 'TELLASK_FALLBACK' } });
    expect(log).toEqual(['athena', 'athena', 'dionysus']);
  });

  it('refuses what is no list of names', async () => {
    const { bus } = makeBus(env);
    for (const fallback of ['athena', [1], [''], null, {}] as never[]) {
      await expect(bus.request('q', 1, { fallback })).rejects.toThrow(TypeError);
    }
    for (const fallback of ['athena', { a: 'b' }, { a: [1] }, [], null] as never[]) {
      expect(() => new MessageBus({ fallback })).toThrow(TypeError);
    }
  });

  // R:H1 F:D2
  it('has a circuit for each responder, and asks those whose circuit is closed', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.register('sick').serve('q', () => {
      log.push('sick');
      return fails();
    });
    bus.register('well').serve('q', () => {
      log.push('well');
      return 1;
    });
    const breaker = circuitBreaker({ failures: 2 });
    const policy = compose(retry({ maxAttempts: 3, baseMs: 0 }), breaker);

    const answers: unknown[] = [];
    for (let n = 0; n < 12; n++) {
      answers.push(await ended(bus.request('q', n, { policy }), settle));
    }
    const refused = outcomeOf(bus.request('q', 1, { policy, to: 'sick' }));
    await settle();

    expect(answers).toEqual(answers.map(() => ({ value: 1 })));
    expect(log.filter((name) => name === 'sick')).toHaveLength(2);
    expect(breaker.for('sick').explain()).toMatchObject({ status: 'open' });
    expect(breaker.for('well').explain()).toMatchObject({ status: 'closed' });
    expect(refused.now()).toMatchObject({ error: { code: 'TELLASK_CIRCUIT_OPEN', key: 'sick' } });
  });

  it('holds nothing against a responder that the question never reached, or that refused it', async () => {
    const { bus, settle } = makeBus(env, { guard: { maxDepth: 1 } });
    const breaker = circuitBreaker({ failures: 1 });
    bus.register('inner').serve('inner', () => 1);
    let error: unknown;
    bus.register('outer').serve('outer', async (_request, context) => {
      error = await context.request('inner', 1, { policy: breaker }).catch((reason) => reason);
    });

    void bus.request('outer', 1);
    await settle();

    expect(error).toMatchObject({ code: 'TELLASK_LOOP' });
    expect(breaker.for('inner').explain()).toMatchObject({ status: 'closed' });
  });
});

describe('the time of a call with fallbacks', () => {
  it('is what is left, and nobody is asked when there is none', async () => {
    const { bus, clock, settle } = createTestBus({ fallback: { slow: ['other'] } });
    const door = gate();
    const left: number[] = [];
    bus.register('slow').serve('q', async ({ payload }) => {
      await (payload === 'hang' ? hang() : door.opened);
      return fails();
    });
    bus.register('other').serve('q', (_request, context) => {
      left.push(context.remainingMs);
      return 1;
    });

    const hung = outcomeOf(bus.request('q', 'hang', { to: 'slow', timeoutMs: 50 }));
    await clock.advance(50);
    await clock.advance(2_000);
    const failed = outcomeOf(bus.request('q', 'fail', { to: 'slow', timeoutMs: 100 }));
    await clock.advance(30);
    door.open();
    await settle();

    expect(hung.now()).toMatchObject({ error: { code: 'TELLASK_TIMEOUT' } });
    expect(failed.now()).toEqual({ value: 1 });
    expect(left).toEqual([70]);
  });
});
