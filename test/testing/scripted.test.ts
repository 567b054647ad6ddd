import { describe, expect, it } from 'vitest';
import { MessageBus } from '../../src/index.ts';
import {
  createTestBus,
  ExplorationError,
  explore,
  type Script,
  ScriptError,
  type ScriptStep,
  scripted,
} from '../../src/testing.ts';

const failureOf = async (script: Script): Promise<ScriptError> => {
  const error = await script.done().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ScriptError);
  return error as ScriptError;
};

// F:M
describe('a scripted agent', () => {
  it('plays its steps in order, on the clock of the test', async () => {
    const t = createTestBus();
    const answers: unknown[] = [];
    t.bus.register('buyer').subscribe('offer.made', async (message, context) => {
      const verdict = await context.request('approve', { euros: message.payload, why: 'tea' });
      answers.push([verdict, t.clock.nowMs]);
      context.publish('offer.answered', { verdict });
    });

    const script = scripted(t.bus.register('boss'), [
      { publish: 'offer.made', payload: 40 },
      { expectRequest: { topic: 'approve', payload: { euros: 40 } } },
      { waitMs: 5_000 },
      { reply: 'yes' },
      { expect: { topic: 'offer.*', from: 'buyer', payload: { verdict: 'yes' } } },
    ]);
    await script.done();

    expect(answers).toEqual([['yes', 5_000]]);
  });

  it('says what it says in the conversation of what came before', async () => {
    const t = createTestBus();
    const script = scripted(t.bus.register('boss'), [
      { expect: 'job' },
      { publish: 'done' },
      { send: 'task', to: 'clerk' },
    ]);
    t.bus.register('clerk').subscribe('**', () => {});
    t.bus.publish('job', {});

    await script.done();

    expect(t.transcript()).toMatch(/m2 {4}boss -> clerk {2}done {2}admitted event, caused by m1/);
    expect(t.transcript()).toMatch(/m3 {4}boss -> clerk {2}task {2}admitted task, caused by m1/);
  });

  it('asks, and looks at the answer', async () => {
    const t = createTestBus();
    t.bus.register('clerk').serve('double', (request) => ({ n: Number(request.payload) * 2 }));
    const right = scripted(t.bus.register('ann'), [
      { request: 'double', payload: 2, answer: { n: 4 } },
    ]);
    const wrong = scripted(t.bus.register('bob'), [
      { request: 'double', payload: 2, answer: { n: 5 } },
    ]);

    await right.done();

    expect((await failureOf(wrong)).message).toBe(
      'Step 1 of 1 of the script of bob: double was answered with {"n":4}',
    );
  });

  it('fails what came, as it is told', async () => {
    const t = createTestBus();
    const boss = t.bus.register('boss');
    const script = scripted(boss, [
      { expectRequest: 'approve' },
      { fail: new RangeError('too much') },
      { expect: 'job' },
      { fail: new Error('no') },
    ]);

    const asked = t.bus.request('approve', 1).catch((error: Error) => error.message);
    t.bus.publish('job', 1);
    await script.done();

    expect(await asked).toBe('too much');
    expect(t.bus.deadLetters.list().map(({ message, reason }) => [message.topic, reason])).toEqual([
      ['approve', 'handler-error'],
      ['job', 'handler-error'],
    ]);
  });

  it.each<readonly [ScriptStep, string]>([
    [{ expect: 'b' }, 'expected b, but m1 event a from $host came instead'],
    [{ expect: { topic: 'a', from: 'ann' } }, 'expected a from ann, but m1 event a from $host'],
    [
      { expect: { topic: 'a', payload: { n: 2 } } },
      'expected a with {"n":2}, but m1 event a from $host with {"n":1} came instead',
    ],
    [{ expectRequest: 'c' }, 'expected request c, but m1 event a from $host came instead'],
  ])('says of step %j what came instead', async (step, text) => {
    const t = createTestBus();
    const last: ScriptStep[] = 'expectRequest' in step ? [{ reply: 1 }] : [];
    const script = scripted(t.bus.register('boss'), [
      { waitMs: 1 },
      step,
      ...last,
      { expect: 'a' },
      { expect: 'b' },
    ]);
    t.bus.publish('a', { n: 1 });

    const failure = await failureOf(script);

    expect(failure).toMatchObject({ agent: 'boss', step: 2 });
    expect(failure.message).toContain(
      `Step 2 of ${4 + last.length} of the script of boss: ${text}`,
    );
  });

  it('says which step did not come at all, and which not in time', async () => {
    const t = createTestBus();
    const never = scripted(t.bus.register('ann'), [{ waitMs: 5 }, { expect: 'job' }]);
    const late = scripted(t.bus.register('bob'), [{ expect: 'late', withinMs: 100 }]);
    const inTime = scripted(t.bus.register('cat'), [{ expect: 'late', withinMs: 101 }]);
    t.bus.publish('late', {}, { delayMs: 101 });

    expect((await failureOf(never)).message).toBe(
      'Step 2 of 2 of the script of ann: expected job, but nothing came',
    );
    expect((await failureOf(late)).message).toBe(
      'Step 1 of 1 of the script of bob: expected late, but nothing came in time',
    );
    await inTime.done();
  });

  it('fails when something comes after its end, and rejects what was asked', async () => {
    const t = createTestBus();
    const script = scripted(t.bus.register('boss'), [{ expectRequest: 'approve' }, { reply: 1 }]);

    expect(await Promise.all([t.bus.request('approve', 1), t.run()])).toEqual([1, undefined]);
    const second = t.bus.request('approve', 2).catch((error: Error) => error);

    expect((await failureOf(script)).message).toBe(
      'The end of 2 of the script of boss: m2 request approve from $host came after the last step',
    );
    expect(await second).toBeInstanceOf(ScriptError);
  });

  it('rejects whoever asks once it has failed', async () => {
    const t = createTestBus();
    const script = scripted(t.bus.register('boss'), [
      { expect: 'job' },
      { expectRequest: 'approve' },
      { reply: 1 },
    ]);
    const asked = [1, 2].map((n) => t.bus.request('approve', n).catch((error: Error) => error));

    const failure = await failureOf(script);

    expect(await Promise.all(asked)).toEqual([failure, failure]);
  });

  it('skips what it does not wait for, when it is told to', async () => {
    const t = createTestBus();
    const script = scripted(
      t.bus.register('boss'),
      [
        { expect: { topic: 'job', payload: { n: 3 } } },
        { expectRequest: { topic: 'ask', payload: 2 } },
        { reply: 'two' },
      ],
      { others: 'skip' },
    );
    for (const n of [1, 2, 3, 4]) t.bus.publish('job', { n });
    const asked = [1, 2, 3].map((n) =>
      t.bus.request('ask', n).catch((error: Error) => error.message),
    );

    await script.done();

    expect(await Promise.all(asked)).toEqual([
      'Step 2 of 3 of the script of boss: no answer to ask is written there',
      'two',
      'The end of 3 of the script of boss: no answer to ask is written there',
    ]);
    expect(t.bus.deadLetters.list({ topic: 'job' })).toEqual([]);
  });

  it('hears a message once that two of its patterns fit', async () => {
    const t = createTestBus();
    const script = scripted(t.bus.register('boss'), [{ expect: 'job.*' }, { expect: 'job.7' }]);
    t.bus.publish('job.7', 1);

    expect((await failureOf(script)).message).toContain('Step 2 of 2');
  });

  it('names the cause when a step of its own is refused', async () => {
    const t = createTestBus();
    const script = scripted(t.bus.register('boss'), [{ send: 'job', to: 'nobody' }]);

    const failure = await failureOf(script);

    expect(failure.message).toBe('Step 1 of 1 of the script of boss: send failed');
    expect(failure.cause).toMatchObject({ code: 'TELLASK_UNKNOWN_RECIPIENT' });
  });

  it.each<readonly [string, readonly ScriptStep[]]>([
    ['step 1 must be one of expect, expectRequest', [{} as ScriptStep]],
    ['step 1 must be one of', [{ reply: 1, fail: 2 } as ScriptStep]],
    ['There is nothing to reply to at step 1', [{ reply: 1 }]],
    ['There is nothing to reply to at step 2', [{ expect: 'a' }, { reply: 1 }]],
    ['There is nothing to fail at step 3', [{ expect: 'a' }, { fail: 1 }, { fail: 1 }]],
    ['A request is open at step 2', [{ expectRequest: 'a' }, { expect: 'b' }]],
    ['A request is open at the end', [{ expectRequest: 'a' }, { waitMs: 1 }]],
    ['topic of a step that expects must be a string', [{ expect: { from: 'ann' } }]],
    ['Milliseconds of step 1 must be 0 or more', [{ waitMs: -1 }]],
    ['Milliseconds of step 1 must be 0 or more', [{ expect: 'a', withinMs: Number.NaN }]],
    ['milliseconds of step 1 must be a number', [{ waitMs: '1' as never }]],
  ])('is refused at once: %s', (text, steps) => {
    const t = createTestBus();

    expect(() => scripted(t.bus.register('boss'), steps)).toThrow(text);
  });

  it('plays on a test bus alone', async () => {
    await using bus = new MessageBus();

    expect(() => scripted(bus.register('boss'), [])).toThrow('agent must be an agent of a test');
  });
});

describe('a script under explore', () => {
  it('is played in every order that is legal', async () => {
    const { schedules } = await explore(
      async (t) => {
        t.bus.register('clerk').subscribe('job.*', (message, context) => {
          context.publish(message.topic.replace('job', 'done'), {});
        });
        const boss = scripted(t.bus.register('boss'), [
          { publish: 'job.a' },
          { publish: 'job.b' },
          { expect: 'done.a' },
          { expect: 'done.b' },
        ]);
        await boss.done();
      },
      { seeds: 20 },
    );

    expect(schedules).toBe(20);
  });

  it('fails where the order that it is written for is not promised', async () => {
    const failure = await explore(
      async (t) => {
        for (const name of ['ann', 'bob']) {
          t.bus
            .register(name)
            .subscribe('job', (_, context) => context.publish(`done.${name}`, {}));
        }
        const boss = scripted(t.bus.register('boss'), [
          { publish: 'job' },
          { expect: 'done.ann' },
          { expect: 'done.bob' },
        ]);
        await boss.done();
      },
      { seeds: 50 },
    ).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(ExplorationError);
    expect((failure as ExplorationError).cause).toBeInstanceOf(ScriptError);
    expect((failure as ExplorationError).message).toMatch(
      /expected done\.ann, but m\d event done\.bob from bob came instead/,
    );
  });
});
