import { describe, expect, it } from 'vitest';
import { createTestBus, type TestBus } from '../../src/testing.ts';

/** The lines without the time and without blanks at their ends. */
const lines = (t: TestBus): string[] =>
  t
    .transcript()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^. *[\d.]+ ms {2}/, ''));

async function story(seed: number, shuffle = true): Promise<string> {
  const t = createTestBus({ seed, shuffle });
  const { bus } = t;
  const writer = bus.register('writer');
  bus.register('critic').subscribe('report.*.drafted', () => {});
  writer.subscribe('report.*.drafted', (message, context) =>
    context.publish('report.read', message.id),
  );
  writer.subscribe('task.*', () => Promise.reject(new Error(`at ${Math.random()}`)), {
    retry: { maxAttempts: 3 },
  });
  bus.publish('report.7.drafted', {});
  bus.send('writer', 'task.edit', {});
  await t.run();
  await t.close();
  return t.transcript();
}

// F:M
describe('a transcript', () => {
  it('tells what was said, to whom and what became of it', async () => {
    const t = createTestBus();
    const writer = t.bus.register('writer');
    t.bus.register('critic').subscribe('report.*.drafted', () => {});
    writer.subscribe('report.*.drafted', (_, context) => context.publish('report.read', {}));

    t.bus.publish('report.7.drafted', { text: 'Tea' });
    await t.settle();

    expect(t.transcript()).toBe(
      [
        '      0 ms  -     writer  joined',
        '      0 ms  -     critic  joined',
        '      0 ms  m1    $host -> critic, writer  report.7.drafted  admitted event',
        '      0 ms  m1    $host -> critic  report.7.drafted  started',
        '      0 ms  m1    $host -> critic  report.7.drafted  handled',
        '      0 ms  m1    $host -> writer  report.7.drafted  started',
        '      0 ms  m2    writer -> nobody  report.read  admitted event, caused by m1',
        '      0 ms  m1    $host -> writer  report.7.drafted  handled',
        '',
      ].join('\n'),
    );
  });

  it('tells of requests that they were replied to, now or later', async () => {
    const t = createTestBus();
    const clerk = t.bus.register('clerk');
    clerk.serve('now', () => 1);
    clerk.serve('later', (_, context) =>
      context.defer((later) => void Promise.resolve().then(() => later.answer(2))),
    );

    const asked = Promise.all([t.bus.request('now', {}), t.bus.request('later', {})]);
    await t.run();
    await asked;

    expect(lines(t)).toEqual([
      '-     clerk  joined',
      'm1    $host -> clerk  now  admitted request',
      'm2    $host -> clerk  later  admitted request',
      'm1    $host -> clerk  now  started',
      'm1    $host -> clerk  now  handled, replied',
      'm2    $host -> clerk  later  started',
      'm2    $host -> clerk  later  deferred',
      'm2    $host -> clerk  later  handled, replied',
    ]);
  });

  it('tells of retries and dead letters by codes and names, never by the text of an error', async () => {
    const t = createTestBus();
    const worker = t.bus.register('worker');
    const failing = () => Promise.reject(new TypeError('secret of 7'));
    worker.subscribe('job', failing, { retry: { maxAttempts: 2 } });

    t.bus.publish('job', {});
    await t.run();

    expect(t.transcript()).not.toContain('secret');
    expect(lines(t).slice(2)).toEqual([
      'm1    $host -> worker  job  started',
      expect.stringMatching(/^m1 {4}\$host -> worker {2}job {2}retry in [\d.]+ ms \(TypeError\)$/),
      'm1    $host -> worker  job  started, attempt 2',
      'm1    $host -> worker  job  dead-lettered (max-attempts, TypeError)',
    ]);
  });

  it('tells of what was refused, expired, cancelled, and of who came and went', async () => {
    const t = createTestBus();
    const worker = t.bus.register('worker');
    worker.subscribe('job', () => new Promise(() => {}));
    expect(() => t.bus.send('nobody', 'job', {})).toThrow();

    t.bus.publish('job', 1);
    t.bus.publish('job', 2, { ttlMs: 10 });
    await t.clock.advance(1);
    await t.clock.advance(400_000);
    t.bus.publish('job', 3);
    t.bus.publish('job', 4);
    const using = worker.subscribe('other', () => {});
    t.bus.publish('other', {});
    using.unsubscribe();
    await t.clock.advance(1);
    const left = worker.leave();
    await t.run();
    await left;
    await t.close();

    expect(lines(t)).toContain('-     $host  job  refused (TELLASK_UNKNOWN_RECIPIENT)');
    expect(lines(t)).toContain('m3    $host -> worker  job  expired');
    expect(lines(t)).toContain('m6    $host -> worker  other  cancelled (unsubscribed)');
    expect(lines(t)).toContain('-     worker  left');
    expect(lines(t).at(-1)).toBe('-     closed');
  });

  it('is one line a thing, whatever a type or a note is made of', async () => {
    const t = createTestBus();
    t.bus.subscribe('job', () => {});
    t.bus.publish('job', {}, { type: 'two\nlines\u202e' });
    t.note('the user\nleaves');

    expect(lines(t)).toEqual([
      'm1    $host -> $host  job  admitted two\\nlines\\u202e',
      '-     the user\\nleaves',
    ]);
  });

  it('shows payloads when it is asked to, and no secret of theirs', () => {
    const t = createTestBus();
    t.bus.subscribe('job', () => {});
    t.bus.publish('job', { n: 1, token: 'tk-1' });
    t.bus.publish('job', 10n);

    const [first, second] = t.transcript({ payloads: true }).split('\n');

    expect(first).toMatch(/admitted event {2}\{"n":1,"token":"\[redacted\]"\}$/);
    expect(second).toMatch(/admitted event {2}\[unreadable\]$/);
    expect(t.transcript()).not.toContain('redacted');
  });

  it('marks the deliveries that it is asked to mark', async () => {
    const t = createTestBus();
    t.bus.register('ann').subscribe('job', () => {});
    t.bus.register('bob').subscribe('job', () => {});
    t.bus.publish('job', {});
    await t.settle();

    const text = t.transcript({ marked: [{ id: 'm1', recipient: 'bob' }] });

    expect(text.split('\n').filter((line) => line.startsWith('!'))).toEqual([
      '!     0 ms  m1    $host -> bob  job  started',
      '!     0 ms  m1    $host -> bob  job  handled',
    ]);
  });

  it('is the same to the byte for a seed, and another one for another', async () => {
    const texts = await Promise.all([story(1), story(1), story(2), story(3), story(4)]);

    expect(texts[1]).toBe(texts[0]);
    expect(new Set(texts).size).toBeGreaterThan(2);
  });
});
