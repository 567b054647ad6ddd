import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/index.ts';
import { createTestBus, ExpectationError } from '../../src/testing.ts';

/** The text with which a promise was rejected. */
async function textOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => new Error('it resolved'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ExpectationError);
  return (error as Error).message;
}

// F:M2 F:M4
describe('a probe', () => {
  it('gives what came, one after the other, with no time passing', async () => {
    const t = createTestBus();
    const probe = t.probe('probe');
    const writer = t.bus.register('writer');
    writer.subscribe('report.due', (_, context) => {
      context.publish('report.7.drafted', { pages: 3, title: 'Tea' });
      context.send('probe', 'task.read', 7);
    });

    t.bus.publish('report.due', {});

    expect((await probe.expect('report.due')).from).toBe('$host');
    const draft = await probe.expect({
      topic: 'report.*.drafted',
      type: 'event',
      from: 'writer',
      payload: { pages: 3 },
    });
    expect(draft.payload).toEqual({ pages: 3, title: 'Tea' });
    await probe.expect({ type: 'task', payload: 7 });
    await probe.expectNone();
    expect(t.clock.nowMs).toBe(0);
    expect(probe.messages).toHaveLength(3);
    await t.close();
  });

  it('tells what came in place of what was expected', async () => {
    const t = createTestBus();
    const probe = t.probe('probe');
    t.bus.publish('report.7.drafted', { pages: 4 });
    t.bus.publish('report.8.drafted', 'x'.repeat(300));

    const text = await textOf(probe.expect({ topic: 'report.*.drafted', payload: { pages: 3 } }));

    expect(text).toBe(
      [
        'probe expected report.*.drafted with {"pages":3}, but the next was:',
        '  m1 event report.7.drafted from $host with {"pages":4}',
        'and behind it:',
        `  m2 event report.8.drafted from $host with "${'x'.repeat(198)}…`,
      ].join('\n'),
    );
    await t.close();
  });

  it('tells that nothing came, and what was taken before', async () => {
    const t = createTestBus();
    const probe = t.probe('probe');

    expect(await textOf(probe.expect())).toBe('probe expected anything, but nothing came');
    t.bus.publish('a', 1);
    await probe.expect('a');

    expect(await textOf(probe.expect({ topic: 'b', from: 'ann' }))).toBe(
      'probe expected b from ann, but nothing came. Taken before:\n  m1 event a from $host with 1',
    );
    await t.close();
  });

  it('tells of dead letters that nobody expected, in which what did not come may have ended', async () => {
    const t = createTestBus();
    const probe = t.probe('probe', { pattern: 'drafted' });
    t.bus.register('writer').subscribe('*', (message) => {
      throw new Error(`no ${message.topic}`);
    });
    t.bus.publish('known', {});
    await t.deadLetters.expect({ topic: 'known' });
    t.bus.publish('tea', {});

    const letters =
      '\nDead letters:\n  mdl2 tea (m2) from $host to writer: handler-error after 1 attempt: no tea';
    expect(await textOf(probe.expect('drafted'))).toBe(
      `probe expected drafted, but nothing came${letters}`,
    );
    expect(await textOf(probe.fish('drafted'))).toContain(letters);
    t.deadLetters.suppress();
    expect(await textOf(probe.expect('drafted'))).toBe('probe expected drafted, but nothing came');
    await t.close();
  });

  it('lets time pass for what it expects, and no longer than it may', async () => {
    const t = createTestBus();
    const probe = t.probe('probe');
    t.bus.publish('late', 1, { delayMs: 100 });
    t.bus.publish('later', 2, { delayMs: 1_000 });

    await probe.expect('late', { withinMs: 500 });
    expect(t.clock.nowMs).toBe(100);
    await expect(probe.expect('later', { withinMs: 200 })).rejects.toThrow('but nothing came');
    expect(t.clock.nowMs).toBe(300);
    await probe.expect('later', { withinMs: 700 });

    expect(t.clock.nowMs).toBe(1_000);
    await t.close();
  });

  it('waits as long as anything is pending, where no time is too long', async () => {
    const t = createTestBus();
    const probe = t.probe('probe');
    t.bus.publish('late', 1, { delayMs: 3_600_000 });

    await probe.expect('late', { withinMs: Infinity });

    expect(await textOf(probe.expect('never', { withinMs: Infinity }))).toContain('nothing came');
    expect(t.clock.nowMs).toBe(3_600_000);
    t.bus.publish('after', 2);
    await probe.expect('after');
    await t.close();
  });

  it.each([Number.NaN, -1, '5', null])('refuses to wait for %o', async (withinMs) => {
    const t = createTestBus();
    const waiting = t.probe('probe').expect('a', { withinMs: withinMs as number });

    await expect(waiting).rejects.toThrow('withinMs must be a number from 0');
    await t.close();
  });

  it('fishes for one and skips those before it', async () => {
    const t = createTestBus();
    const probe = t.probe('probe');
    for (const n of [1, 2, 3, 4]) t.bus.publish('count', n);

    expect((await probe.fish({ payload: 3 })).payload).toBe(3);
    expect(await textOf(probe.fish({ payload: 1 }))).toBe(
      'probe expected anything with 1, but got only:\n  m4 event count from $host with 4',
    );
    await probe.expect({ payload: 4 });
    await t.close();
  });

  it('says what came where nothing may, and looks only when all is at rest', async () => {
    const t = createTestBus();
    const probe = t.probe('probe');
    t.bus.register('slow').subscribe('begin', async (_, context) => {
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
      context.publish('end', {});
    });
    t.bus.publish('begin', {});

    await probe.expectNone('other');

    expect(await textOf(probe.expectNone('end'))).toBe(
      'probe expected no end, but got:\n  m2 event end from slow with {}',
    );
    await t.close();
  });

  it('holds a request open until it replies', async () => {
    const t = createTestBus();
    const probe = t.probe('probe', { serve: ['review', 'count.*'] });
    const answers = [t.bus.request('review', 1), t.bus.request('review', 2)];
    const failed = t.bus.request('count.words', 3).catch((error: Error) => error.message);

    await probe.expect({ topic: 'review', type: 'request', payload: 1 });
    await probe.expect({ payload: 2 });
    expect([probe.reply('one'), probe.reply('two'), probe.fail(new Error('too long'))]).toEqual([
      true,
      true,
      true,
    ]);
    await t.settle();

    expect(await Promise.all([...answers, failed])).toEqual(['one', 'two', 'too long']);
    expect(() => probe.reply('three')).toThrow(
      'probe cannot reply: it has no open request. It got:\n  m1 request review from $host with 1',
    );
    await t.close();
  });

  it('replies by itself, with the newest rule that fits', async () => {
    const t = createTestBus();
    const probe = t.probe('probe').autoReply('count.*', 0);
    probe.autoReply('count.words', (request) => String(request.payload).split(' ').length);

    const asked = Promise.all([
      t.bus.request('count.words', 'a cup of tea'),
      t.bus.request('count.lines', 'a'),
    ]);
    await t.settle();

    expect(await asked).toEqual([4, 0]);
    expect(probe.messages.map(({ topic }) => topic)).toEqual(['count.words', 'count.lines']);
    await t.close();
  });

  it('expects an agent to be gone', async () => {
    const t = createTestBus();
    const probe = t.probe('probe');
    const bob = t.bus.register('bob');
    bob.subscribe('bye', (_, context) => context.close());

    expect(await textOf(probe.expectGone('bob'))).toBe(
      'probe expected bob to be gone, but it is idle (running 0, queued 0)',
    );
    t.bus.publish('bye', {});
    await probe.expectGone('bob');
    await t.close();
  });

  it('is typed by the contract', async () => {
    const contract = defineContract({
      topics: { 'report.{id}.drafted': z.object({ pages: z.number() }) },
      requests: { review: { input: z.string(), output: z.boolean() } },
    });
    const t = createTestBus({ contract });
    const probe = t.probe('probe').autoReply('review', (request) => request.payload.length > 3);

    t.bus.publish('report.7.drafted', { pages: 3 });
    const message = await probe.expect({ topic: 'report.*.drafted' });

    expectTypeOf(message.payload).toEqualTypeOf<{ pages: number }>();
    expect(message.params.id).toBe('7');
    const reviewed = t.bus.request('review', 'long');
    await t.settle();
    expect(await reviewed).toBe(true);
    await t.close();
  });

  it.each([
    [{ patern: '**' }, 'patern'],
    [{ pattern: 7 }, 'pattern must be a string or a list of strings'],
  ])('refuses %j', (options, problem) => {
    const t = createTestBus();

    expect(() => t.probe('probe', options as never)).toThrow(problem);
  });

  it('refuses a filter with a mistyped field, which would fit all', async () => {
    const probe = createTestBus().probe('probe');

    await expect(probe.expect({ tpic: 'a' } as never)).rejects.toThrow(TypeError);
  });
});
