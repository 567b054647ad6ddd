import { describe, expect, it } from 'vitest';
import {
  type Agent,
  type BusOptions,
  type GuardNotice,
  type LoopError,
  MessageBus,
} from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, outcomeOf } from './books.ts';

/** The error of the one refused call. */
function watchRefusals(bus: MessageBus): LoopError[] {
  const errors: LoopError[] = [];
  bus.events.on('refused', (_topic, _from, error) => errors.push(error as LoopError));
  return errors;
}

/** Each passes on what it gets to the next; the refused one gives up. */
function makeRing(
  bus: MessageBus,
  names: readonly string[],
  pass: 'send' | 'publish' | 'request',
): { readonly rounds: () => number } {
  let said = 0;
  names.forEach((name, i) => {
    const next = names[(i + 1) % names.length] as string;
    const agent = bus.register(name, { concurrency: 1_000 });
    if (pass === 'send') {
      agent.subscribe('thanks', (_message, context) => {
        context.send(next, 'thanks', 'no, thank you');
        said++;
      });
    } else if (pass === 'publish') {
      agent.subscribe(`thanks.${name}`, (_message, context) => {
        context.publish(`thanks.${next}`, 'no, thank you');
        said++;
      });
    } else {
      agent.serve(`thanks.${name}`, (_message, context) => {
        said++;
        return context.request(`thanks.${next}`, 'no, thank you');
      });
    }
  });
  return { rounds: () => Math.floor(said / names.length) };
}

describe.each(['real', 'simulated'] as const)('guards, on the %s Env', (env) => {
  // R:G1 R:J1 F:D10
  it('stops a ping-pong of two after 100 rounds and names it', async () => {
    const { bus, settle } = makeBus(env);
    const errors = watchRefusals(bus);
    const { rounds } = makeRing(bus, ['ann', 'bob'], 'send');

    bus.send('ann', 'thanks', 'hello', { correlationId: 'c1' });
    await settle();

    expect(rounds()).toBe(100);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({
      code: 'TELLASK_LOOP',
      guard: 'repeats',
      limit: 100,
      path: ['bob -thanks-> ann', 'ann -thanks-> bob'],
      conversation: 'c1',
      retryable: false,
    });
    expect(bus.deadLetters.list({ reason: 'loop' })).toMatchObject([
      { refused: true, attempts: 0, recipient: 'bob', error: { code: 'TELLASK_LOOP' } },
    ]);
    expectBalanced(bus);
  });

  // R:G1
  it.each([
    ['send', ['bob -thanks-> cat', 'cat -thanks-> ann', 'ann -thanks-> bob']],
    ['publish', ['bob -thanks.cat-> cat', 'cat -thanks.ann-> ann', 'ann -thanks.bob-> bob']],
  ] as const)('stops a triangle that keeps thanking each other, by %s', async (pass, path) => {
    const { bus, settle } = makeBus(env);
    const errors = watchRefusals(bus);
    const { rounds } = makeRing(bus, ['ann', 'bob', 'cat'], pass);

    if (pass === 'send') bus.send('ann', 'thanks', 'hello');
    else bus.publish('thanks.ann', 'hello');
    await settle();

    expect(rounds()).toBe(100);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ guard: 'repeats', path });
    expectBalanced(bus);
  });

  // R:G1
  it('stops a triangle of requests at the depth, or by what it repeats when that is lifted', async () => {
    const deep = makeBus(env);
    makeRing(deep.bus, ['ann', 'bob', 'cat'], 'request');
    const lifted = makeBus(env, { guard: { maxDepth: Infinity } });
    makeRing(lifted.bus, ['ann', 'bob', 'cat'], 'request');

    const tooDeep = outcomeOf(deep.bus.request('thanks.ann', 1));
    const tooOften = outcomeOf(lifted.bus.request('thanks.ann', 1));
    await deep.settle();
    await lifted.settle();

    expect(tooDeep.now()).toMatchObject({
      error: { code: 'TELLASK_LOOP', guard: 'depth', limit: 32 },
    });
    expect(tooOften.now()).toMatchObject({
      error: { guard: 'repeats', limit: 100, path: { length: 3 } },
    });
    expect(lifted.bus.inspect()).toMatchObject({ refused: 1, deadLettered: 301 });
    expectBalanced(lifted.bus);
  });

  // R:G1
  it('lets a review of 50 rounds pass', async () => {
    const { bus, settle } = makeBus(env);
    const errors = watchRefusals(bus);
    let rounds = 0;
    bus.register('writer').subscribe('review', (_message, context) => {
      context.send('editor', 'draft', rounds);
    });
    bus.register('editor').subscribe('draft', (_message, context) => {
      if (++rounds < 50) context.send('writer', 'review', rounds);
    });

    bus.send('writer', 'review', 0);
    await settle();

    expect(rounds).toBe(50);
    expect(errors).toEqual([]);
  });

  // R:G1: a fan-out is no loop
  it('lets a planner send 300 tasks on one topic to one worker, at any depth', async () => {
    const { bus, settle } = makeBus(env);
    const errors = watchRefusals(bus);
    let done = 0;
    const planner = bus.register('planner');
    planner.subscribe('goal', (_message, context) => context.send('planner', 'plan', 1));
    planner.subscribe('plan', (_message, context) => {
      for (let n = 0; n < 300; n++) context.send('worker', 'task', n);
    });
    planner.subscribe('done', () => void done++);
    bus.register('worker').subscribe('task', (_message, context) => {
      context.send('planner', 'done', 1);
    });

    bus.send('planner', 'goal', 1);
    await settle();

    expect(done).toBe(300);
    expect(errors).toEqual([]);
  });

  // R:G1
  it('bounds the causal chain', async () => {
    const { bus, settle } = makeBus(env, { guard: { maxHops: 5, maxRepeats: Infinity } });
    const errors = watchRefusals(bus);
    makeRing(bus, ['ann', 'bob'], 'send');

    bus.send('ann', 'thanks', 1);
    await settle();

    expect(errors).toMatchObject([
      { guard: 'hops', limit: 5, path: ['ann -thanks-> bob', 'bob -thanks-> ann'] },
    ]);
    expect(bus.inspect()).toMatchObject({ messages: 6, refused: 1 });
  });

  // R:G1
  it('counts apart what belongs to another conversation', async () => {
    const { bus, settle } = makeBus(env, { guard: { maxRepeats: 2 } });
    const errors = watchRefusals(bus);
    let n = 0;
    bus.register('ann').subscribe('next', (_message, context) => {
      if (++n < 10) context.send('ann', 'next', n, { correlationId: `round ${n}` });
    });

    bus.send('ann', 'next', 0);
    await settle();

    expect(n).toBe(10);
    expect(errors).toEqual([]);
  });

  // R:G1
  it('cannot be deceived by a middleware, and sends a refused call again as a new one', async () => {
    const { bus, settle } = makeBus(env, { guard: { maxRepeats: 3 } });
    const errors = watchRefusals(bus);
    bus.use({
      name: 'disguise',
      outgoing: (draft, next) => {
        draft.headers = { round: `${draft.from} ${draft.topic}` };
        draft.type = 'event';
        next();
      },
    });
    const { rounds } = makeRing(bus, ['ann', 'bob'], 'send');
    bus.send('ann', 'thanks', 1);
    await settle();

    const { redriven } = await bus.deadLetters.redrive({ reason: 'loop' });
    await settle();

    expect(redriven).toHaveLength(1);
    expect(errors).toHaveLength(2);
    expect(rounds()).toBe(6);
  });

  // R:G1: says it to those who listen, as $host
  it('tells those who listen on $bus.guard.*', async () => {
    const { bus, settle } = makeBus(env, { guard: { maxRepeats: 3, maxDepth: 2 } });
    const heard: [string, string, unknown][] = [];
    bus.subscribe('$bus.guard.*', ({ topic, from, payload }) => heard.push([topic, from, payload]));
    makeRing(bus, ['ann', 'bob'], 'send');
    makeRing(bus, ['cat', 'dan'], 'request');

    bus.send('ann', 'thanks', 1, { correlationId: 'c1' });
    bus.request('thanks.cat', 1).catch(() => {});
    await settle();

    const repeats: GuardNotice = {
      from: 'ann',
      to: 'bob',
      topic: 'thanks',
      conversation: 'c1',
      path: ['bob -thanks-> ann', 'ann -thanks-> bob'],
      limit: 3,
    };
    expect(heard.sort()).toMatchObject([
      ['$bus.guard.depth', '$host', { from: 'dan', to: 'cat', limit: 2 }],
      ['$bus.guard.repeats', '$host', repeats],
    ]);
    expectBalanced(bus);
  });

  // DESIGN 6: a failing delivery of a $ topic
  it('reports a listener of $bus.guard.* that fails, without a letter and without another topic', async () => {
    const faults: string[] = [];
    const { bus, settle } = makeBus(env, {
      guard: { maxRepeats: 3, senderRate: { limit: 9, perMs: 1_000 } },
      onFault: (error, where) => faults.push(`${where}: ${(error as Error).message}`),
    });
    let heard = 0;
    bus.register('watch').subscribe('$bus.guard.*', (message, context) => {
      heard++;
      for (let n = 0; n < 20; n++) context.publish('alarm', message.payload);
    });
    makeRing(bus, ['ann', 'bob'], 'send');

    bus.send('ann', 'thanks', 1);
    await settle();

    expect(heard).toBe(1);
    expect(faults).toEqual([
      expect.stringMatching(/^delivery of \$bus\.guard\.repeats: watch says too much/),
    ]);
    expect(bus.inspect()).toMatchObject({ faults: 1, deadLettered: 2 });
    expect(bus.deadLetters.list().every(({ message }) => !message.topic.startsWith('$'))).toBe(
      true,
    );
    expectBalanced(bus);
  });

  it('ends when whoever listens to the guards makes others trip them', async () => {
    const { bus, settle } = makeBus(env, { guard: { maxRepeats: 3 } });
    bus.register('watch').subscribe('$bus.guard.*', (_message, context) => {
      context.send('ann', 'thanks', 1);
    });
    makeRing(bus, ['ann', 'bob'], 'send');

    bus.send('ann', 'thanks', 1);
    await settle();

    expect(bus.inspect().queued).toBe(0);
    expect(bus.inspect().messages).toBeLessThan(100);
  });

  it('shows its bounds', () => {
    const senderRate = { limit: 5, perMs: 1_000 };
    expect(makeBus(env).bus.inspect().limits).toMatchObject({
      maxDepth: 32,
      maxHops: 1_000,
      maxRepeats: 100,
      repeatWindowMs: 60_000,
    });
    expect(makeBus(env, { guard: { senderRate, maxHops: 7 } }).bus.inspect().limits).toMatchObject({
      maxHops: 7,
      maxDepth: 32,
      senderRate,
    });
  });
});

describe.each(['real', 'simulated'] as const)('rates, on the %s Env', (env) => {
  const say = (agent: Agent, n: number): unknown[] =>
    Array.from({ length: n }, (_, i) => codeOf(() => agent.publish('news', i)) ?? 'ok');

  // R:G1 R:G4
  it('refuses who says more than the rate of a sender, and nobody else', async () => {
    const { bus, settle } = makeBus(env, { guard: { senderRate: { limit: 3, perMs: 60_000 } } });
    const loud = bus.register('loud');
    const calm = bus.register('calm');
    calm.serve('q', () => 1);

    const said = say(loud, 5);
    const asked = outcomeOf(loud.request('q', 1));
    await settle();

    const no = 'TELLASK_RATE_LIMITED';
    expect(said).toEqual(['ok', 'ok', 'ok', no, no]);
    expect(asked.now()).toMatchObject({
      error: { code: no, agent: 'loud', retryable: true, retryAfterMs: expect.any(Number) },
    });
    expect(say(calm, 3)).toEqual(['ok', 'ok', 'ok']);
    for (let n = 0; n < 10; n++) bus.publish('news', n);
    expect(bus.deadLetters.list({ reason: 'loop', refused: true })).toHaveLength(3);
    expect(bus.inspect()).toMatchObject({ refused: 3, messages: 16 });
  });

  // R:G1
  it('refuses who says too much to one other, by send and by request', async () => {
    const { bus, settle } = makeBus(env, { guard: { pairRate: { limit: 2, perMs: 60_000 } } });
    const notices: unknown[] = [];
    bus.subscribe('$bus.guard.rate', ({ payload }) => notices.push(payload));
    const ann = bus.register('ann');
    for (const name of ['bob', 'cat']) {
      const agent = bus.register(name);
      agent.subscribe('hello', () => {});
      agent.serve(`ask.${name}`, () => name);
    }

    ann.send('bob', 'hello', 1);
    const asked = outcomeOf(ann.request('ask.bob', 1));
    const tooMuch = outcomeOf(ann.request('ask.bob', 2));
    const other = outcomeOf(ann.request('ask.cat', 1));
    expect(codeOf(() => ann.send('bob', 'hello', 2))).toBe('TELLASK_RATE_LIMITED');
    await settle();

    expect([asked.now(), other.now()]).toEqual([{ value: 'bob' }, { value: 'cat' }]);
    expect(tooMuch.now()).toMatchObject({ error: { recipient: 'bob' } });
    // Told once in every perMs, however long the flood.
    expect(notices).toMatchObject([
      { from: 'ann', to: 'bob', topic: 'ask.bob', path: ['ann -ask.bob-> bob'], limit: 2 },
    ]);
  });

  it.each([
    [{ guard: 1 }, 'guard must be an object, but it is 1'],
    [{ guard: { maxdepth: 1 } }, /guard has no option maxdepth; it has maxDepth/],
    [{ guard: { maxDepth: 1.5 } }, /guard\.maxDepth must be a whole number from 0/],
    [{ guard: { maxHops: '5' } }, /guard\.maxHops must be a number/],
    [{ guard: { repeatWindowMs: -1 } }, /guard\.repeatWindowMs must be 0 or more/],
    [{ guard: { senderRate: { limit: 0, perMs: 1 } } }, /guard\.senderRate\.limit must be/],
    [{ guard: { pairRate: { limit: 1, perMs: 0 } } }, /guard\.pairRate\.perMs must be more than 0/],
  ])('refuses %j at once', (options, message) => {
    expect(() => new MessageBus(options as BusOptions)).toThrow(message);
  });
});

describe('guards and time', () => {
  // R:G1
  it('lets a loop pass whose rounds are more than a window apart', async () => {
    const t = createTestBus({ guard: { maxHops: Infinity } });
    const errors = watchRefusals(t.bus);
    let rounds = 0;
    t.bus.register('ann').subscribe('tick', (_message, context) => {
      rounds++;
      context.send('ann', 'tick', rounds, { delayMs: 60_001 });
    });

    t.bus.send('ann', 'tick', 0);
    await t.clock.advance(60_001 * 300);

    expect(rounds).toBe(301);
    expect(errors).toEqual([]);
  });

  // R:G1
  it('gives a token back with time', async () => {
    const t = createTestBus({ guard: { senderRate: { limit: 2, perMs: 1_000 } } });
    const ann = t.bus.register('ann');
    const say = (): unknown => codeOf(() => ann.publish('x', 1)) ?? 'ok';

    const first = [say(), say(), say()];
    await t.clock.advance(499);
    const early = say();
    await t.clock.advance(1);

    expect(first).toEqual(['ok', 'ok', 'TELLASK_RATE_LIMITED']);
    expect([early, say(), say()]).toEqual(['TELLASK_RATE_LIMITED', 'ok', 'TELLASK_RATE_LIMITED']);
  });

  // R:G4: position in line is latency, when every delivery takes a millisecond
  it('keeps a flood by one from more than doubling the p99 of the others', async () => {
    const p99 = async (flooding: boolean): Promise<number> => {
      const t = createTestBus({ guard: { senderRate: { limit: 20, perMs: 1_000 } } });
      const latencies: number[] = [];
      const desk = t.bus.register('desk');
      desk.subscribe(
        '{calm,flood}',
        (message) => {
          if (message.topic === 'calm') {
            latencies.push(t.clock.nowMs - (message.payload as number));
          }
          return t.bus.once('tick').then(() => {});
        },
        {},
      );
      const calm = Array.from({ length: 10 }, (_, i) => t.bus.register(`calm${i}`));
      const loud = t.bus.register('loud');
      for (let ms = 0; ms < 3_000; ms++) {
        for (let n = 0; flooding && n < 5; n++) codeOf(() => loud.publish('flood', n));
        if (ms % 40 === 0) for (const one of calm) one.publish('calm', t.clock.nowMs);
        t.bus.publish('tick', {});
        await t.clock.advance(1);
      }
      latencies.sort((a, b) => a - b);
      return latencies[Math.floor(latencies.length * 0.99)] as number;
    };

    const quiet = await p99(false);
    const flooded = await p99(true);

    expect(quiet).toBeGreaterThan(0);
    expect(flooded).toBeLessThanOrEqual(2 * quiet);
  });
});
