import { describe, expect, it } from 'vitest';
import { StateManager } from '../../src/index.ts';
import { createTestBus, type TestBus } from '../../src/testing.ts';

const never = (): Promise<never> => new Promise(() => {});

/** What a promise is rejected with: the code and the lines of its text. */
async function failureOf(promise: Promise<unknown>): Promise<string[]> {
  const error = await promise.then(
    () => ({ code: 'none', message: '' }),
    (reason: { code: string; message: string }) => reason,
  );
  return [error.code, ...error.message.split('\n').map((line) => line.trim())];
}

const ENDED = ['TELLASK_LEFT_OVER', 'The test ended, and this still went on:'];

describe('the end of a test', () => {
  it('passes when nothing is left, also for whoever closed the bus himself', async () => {
    const t = createTestBus();
    t.bus.subscribe('a', () => {});
    t.bus.publish('a', 1);

    await t.close();

    const other = createTestBus();
    other.bus.publish('a', 1, { delayMs: 10 });
    await other.bus.close();
    await other.close();
  });

  it('names a handler that still runs, and what it waits for', async () => {
    const t = createTestBus();
    t.bus.register('slow').serve('slow', never);
    t.bus.register('asker').subscribe('begin', async function ask(_, context) {
      await context.request('slow', 1, { timeoutMs: Infinity });
    });
    t.bus.publish('begin', 1);
    await t.settle();

    expect(await failureOf(t.close())).toEqual([
      ...ENDED,
      'the handler ask of asker for begin (m1), running for 0 ms, waits for slow (m2) of slow: running for 0.0 s in never',
      'the handler never of slow for slow (m2), running for 0 ms, awaits something outside of the bus',
    ]);
  });

  it.each([
    [
      'a delayed message',
      (t: TestBus) => t.bus.publish('news', 1, { delayMs: 50 }),
      'news (m1), said by $host, is due at 50 ms',
    ],
    [
      'a request',
      (t: TestBus) => {
        t.probe('clerk', { serve: 'stamp' });
        t.bus.request('stamp', 1).catch(() => {});
      },
      '$host waits for stamp (m1) of clerk: deferred by clerk 0.0 s ago',
    ],
    [
      'a stream',
      (t: TestBus) => {
        t.bus.register('counter').serve('count', async function* count() {
          yield 1;
          await never();
        });
        void t.bus.stream('count', 1).result.catch(() => {});
      },
      '$host streams count (m1) of counter: running for 0.0 s in count',
    ],
    [
      'a full mailbox',
      (t: TestBus) => {
        const agent = t.bus.register('paused');
        agent.pause();
        t.bus.send('paused', 'task', 1);
        t.bus.send('paused', 'task', 2);
      },
      '2 messages in the mailbox of paused',
    ],
    [
      'who waits for a responder',
      (t: TestBus) => void t.bus.whenServed('stamp').catch(() => {}),
      '1 waiting until somebody serves a topic',
    ],
    [
      'a timer',
      (t: TestBus) => void t.bus.once('news', { timeoutMs: 70 }).catch(() => {}),
      'the timer "once", due at 70 ms',
    ],
  ])('names %s', async (_, begin, line) => {
    const t = createTestBus();
    begin(t);
    await t.settle();

    expect(t.pendingWork()).toContain(line);
    const [code, what, ...lines] = await failureOf(t.close());

    expect([code, what]).toEqual(ENDED);
    expect(lines).toContain(line);
  });

  it('lets go what is left where that is meant', async () => {
    const t = createTestBus({ leaks: 'allow' });
    t.bus.publish('news', 1, { delayMs: 50 });

    await t.close();

    expect(t.bus.inspect().status).toBe('closed');
  });

  it('names dead letters that nobody expected, if it is told to', async () => {
    const open = (): TestBus => {
      const t = createTestBus({ unexpectedLetters: 'fail' });
      t.bus.register('clerk').subscribe('task', () => {
        throw new Error('no ink');
      });
      t.bus.publish('task', 1);
      return t;
    };

    expect(await failureOf(open().close())).toEqual([
      'TELLASK_EXPECTATION',
      'Nobody expected these dead letters:',
      'mdl1 task (m1) from $host to clerk: handler-error after 1 attempt: no ink',
    ]);
    const expected = open();
    await expected.deadLetters.expect({ reason: 'handler-error' });
    await expected.close();
    const suppressed = open();
    suppressed.deadLetters.suppress({ topic: 'task' });
    await suppressed.close();
  });

  it.each(['lostContext', 'leaks', 'unexpectedLetters'])('refuses a wrong %s', (option) => {
    expect(() => createTestBus({ [option]: true })).toThrow(
      `${option} must be 'fail' or 'allow', but it is true`,
    );
  });
});

describe('dead letters of a test', () => {
  it('are expected, or none is', async () => {
    const t = createTestBus();
    t.bus.register('clerk').subscribe('task', ({ payload }) => {
      if (payload === 2) throw new Error('no ink');
    });

    await t.deadLetters.expectNone();
    t.bus.publish('task', 2);
    expect(await failureOf(t.deadLetters.expectNone())).toEqual([
      'TELLASK_EXPECTATION',
      'Expected no dead letter, but there is:',
      'mdl1 task (m1) from $host to clerk: handler-error after 1 attempt: no ink',
    ]);
    expect(await failureOf(t.deadLetters.expect({ reason: 'expired' }))).toEqual([
      'TELLASK_EXPECTATION',
      'Expected a dead letter with {"reason":"expired"}, but there is:',
      'mdl1 task (m1) from $host to clerk: handler-error after 1 attempt: no ink',
    ]);
    const [letter] = await t.deadLetters.expect({ topic: 'task' });
    expect(letter?.message.payload).toBe(2);
    await t.deadLetters.expectNone();
    await t.close();
  });
});

describe('a run', () => {
  it('names who waits for which lock, and who holds it', async () => {
    const t = createTestBus({ state: new StateManager(), handlerTimeoutMs: Infinity });
    const forever = { timeoutMs: Infinity, leaseMs: Infinity };
    for (const name of ['ann', 'bob']) {
      t.bus.register(name).subscribe('edit', async (_, { state }) => {
        await state.withLock('doc', never, forever);
      });
    }
    t.bus.publish('edit', 1);

    expect(await failureOf(t.run())).toEqual([
      'TELLASK_STANDSTILL',
      'Nothing can go on any more:',
      'the handler of ann for edit (m1), running for 0 ms, awaits something outside of the bus',
      'the handler of bob for edit (m1), running for 0 ms, waits for the lock of doc, which ann holds',
    ]);
  });

  it('does not skip the time-out of a handler that awaits something outside of the bus', async () => {
    const t = createTestBus();
    t.bus.register('writer').subscribe('write', async function callModel() {
      await never();
    });
    t.bus.publish('write', 1);

    expect(await failureOf(t.run())).toEqual([
      'TELLASK_LEFT_OVER',
      'Handlers await something outside of the bus:',
      'the handler callModel of writer for write (m1), running for 0 ms, awaits something outside of the bus',
    ]);
    expect(t.clock.nowMs).toBe(0);
    await t.clock.advance(301_000);
    await t.deadLetters.expect({ reason: 'handler-timeout' });
    await t.close();
  });

  it('skips time-outs that somebody has set', async () => {
    const t = createTestBus();
    t.bus.register('writer').subscribe('write', never, { timeoutMs: 50 });
    t.bus.publish('write', 1);

    await t.run();

    expect(t.clock.nowMs).toBe(1_050);
    await t.close();
  });

  it('names who waits for whom when nothing can go on any more', async () => {
    const t = createTestBus({ handlerTimeoutMs: Infinity });
    const patient = { timeoutMs: Infinity };
    t.bus.register('one').serve('one', (_, context) => context.request('two', 1, patient));
    t.bus.register('two').serve('two', never);
    void t.bus.request('one', 1, patient).catch(() => {});

    expect(await failureOf(t.run())).toEqual([
      'TELLASK_STANDSTILL',
      'Nothing can go on any more:',
      'the handler of one for one (m1), running for 0 ms, waits for two (m2) of two: running for 0.0 s in never',
      'the handler never of two for two (m2), running for 0 ms, awaits something outside of the bus',
      '$host waits for one (m1) of one: running for 0.0 s',
    ]);
  });

  it('names who keeps it going when it finds no end', async () => {
    const t = createTestBus({
      maxSteps: 5_000,
      guard: { maxHops: Infinity, maxRepeats: Infinity },
    });
    t.bus.register('ping').subscribe('pong', (_, context) => context.publish('ping', 1));
    t.bus.register('pong').subscribe('ping', (_, context) => context.publish('pong', 1));
    t.bus.subscribe('ping', () => {});
    t.bus.publish('ping', 1);

    const [code, what, ...lines] = await failureOf(t.run());

    expect([code, what]).toEqual([
      'TELLASK_LIVELOCK',
      'The simulation took 5000 steps without coming to rest:',
    ]);
    expect(lines.slice(0, 3).toSorted()).toEqual([
      'ping -> $host ping, 666 times in the last 2000 steps',
      'ping -> pong ping, 667 times in the last 2000 steps',
      'pong -> ping pong, 667 times in the last 2000 steps',
    ]);
  });
});
