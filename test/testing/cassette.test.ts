import { describe, expect, it } from 'vitest';
import {
  createTestBus,
  diffRuns,
  type RunEntry,
  readCassette,
  replayRun,
  type TestBus,
  writeCassette,
} from '../../src/testing.ts';

/** An app of two agents; `flaw` is what a later version does otherwise. */
function makeApp({ bus }: TestBus, flaw = ''): void {
  const writer = bus.register('writer');
  writer.subscribe('report.*.due', (message, context) => {
    if (flaw !== 'silent') context.publish('report.7.drafted', { of: message.payload });
  });
  writer.serve('count', ({ payload }) => `${payload}!`);
  bus.register('critic').subscribe('report.*.drafted', (_, context) => {
    if (flaw === 'fails') throw new Error('no');
    context.publish('report.7.reviewed', flaw === 'other words' ? 'bad' : 'good');
  });
}

async function firstRun(): Promise<TestBus> {
  const t = createTestBus();
  makeApp(t);
  const user = t.bus.register('user');
  t.bus.publish('report.7.due', { tone: 'dry' }, { priority: 8, headers: { by: 'me' } });
  await t.settle();
  user.send('writer', 'report.8.due', 2, { ttlMs: 1_000, type: 'task' });
  await t.clock.advance(500);
  const asked = t.bus.request('count', 3, { timeoutMs: 100, correlationId: 'talk' });
  t.bus.publish('report.9.due', 'x', { delayMs: 50 });
  await t.run();
  await asked;
  await t.close();
  return t;
}

async function again(entries: readonly RunEntry[], flaw = ''): Promise<TestBus> {
  const t = createTestBus();
  makeApp(t, flaw);
  await replayRun(entries, t, { as: { user: t.bus.register('user') } });
  await t.close();
  return t;
}

// F:M
describe('a cassette', () => {
  it('is a header and one thing that happened a line, and reads back as it was', async () => {
    const entries = (await firstRun()).recorded();
    const text = writeCassette(entries);

    expect(text.split('\n').slice(0, 5)).toEqual([
      '{"cassette":1}',
      '{"atMs":0,"what":"joined","from":"writer"}',
      '{"atMs":0,"what":"joined","from":"critic"}',
      '{"atMs":0,"what":"joined","from":"user"}',
      '{"atMs":0,"what":"admitted","id":"m1","type":"event","topic":"report.7.due","from":"$host","to":["writer"],"payload":{"tone":"dry"},"said":{"verb":"publish","priority":8,"headers":{"by":"me"}}}',
    ]);
    expect(readCassette(text)).toEqual(JSON.parse(JSON.stringify(entries)));
  });

  it.each<readonly [string, unknown, unknown, boolean]>([
    ['plain data', { a: [1, { b: null }], c: undefined }, { a: [1, { b: null }] }, false],
    ['a secret', { user: 'ann', token: 'tk' }, { user: 'ann', token: '[redacted]' }, true],
    ['a date', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }, true],
    ['a map', new Map([[1, 2]]), {}, true],
    ['no number', Number.NaN, null, true],
    ['a bigint', 1n, null, true],
  ])('marks what is not what was said: %s', (_name, payload, written, altered) => {
    const entry: RunEntry = { atMs: 0, what: 'admitted', id: 'm1', payload };

    const [read] = readCassette(writeCassette([entry]));

    expect(read).toEqual({ ...entry, payload: written, ...(altered ? { altered: true } : {}) });
  });

  it('hides what it is told to, or nothing', () => {
    const entry: RunEntry = { atMs: 0, what: 'admitted', id: 'm1', payload: { token: 'tk' } };

    expect(readCassette(writeCassette([entry], { redact: false }))).toEqual([entry]);
    expect(writeCassette([entry], { redact: () => 'hidden' })).toContain('"payload":"hidden"');
  });

  it.each([
    ['', 'Line 1 of the cassette must be a JSON object'],
    ['{"cassette":2}', '"cassette" of line 1 must be 1, but it is 2'],
    ['{"cassette":1}\n{', 'Line 2 of the cassette must be a JSON object'],
    ['{"cassette":1}\n3', 'Line 2 of the cassette must be a JSON object'],
    ['{"cassette":1}\n{"atMs":0,"what":"sang"}', '"what" of line 2 must be a word'],
    ['{"cassette":1}\n{"what":"note"}', '"atMs" of line 2 must be a number'],
    [7 as never, 'text must be a string'],
  ])('refuses to read %j', (text, message) => {
    expect(() => readCassette(text)).toThrow(new TypeError(message).message);
  });
});

describe('a replayed run', () => {
  it('is the run that was recorded, to the byte of the transcript', async () => {
    const first = await firstRun();

    const second = await again(readCassette(writeCassette(first.recorded())));

    expect(second.transcript({ payloads: true })).toBe(first.transcript({ payloads: true }));
    expect(diffRuns(first.recorded(), second.recorded(), { times: true })).toMatchObject({
      same: true,
      first: undefined,
      text: '',
    });
  });

  it.each([
    ['silent', { added: 0, moved: 0, changed: 0 }, 'removed'],
    ['fails', { moved: 0, changed: 0 }, 'added'],
    ['other words', { added: 0, removed: 0, moved: 0, changed: 3 }, 'changed'],
  ] as const)('differs where the app does: it %s', async (flaw, counts, part) => {
    const first = await firstRun();

    const diff = diffRuns(first.recorded(), (await again(first.recorded(), flaw)).recorded());

    expect(diff.same).toBe(false);
    expect(diff[part].length).toBeGreaterThan(0);
    for (const [name, count] of Object.entries(counts)) {
      expect([name, diff[name as 'added'].length]).toEqual([name, count]);
    }
  });

  it('says nothing at all when a voice is missing, or a payload is not what was said', async () => {
    const t = createTestBus();
    const entries = (await firstRun()).recorded();
    const said = { verb: 'publish' } as const;
    const altered: RunEntry = {
      ...{ atMs: 0, what: 'admitted', id: 'm1', topic: 'a', from: '$host', type: 'event', said },
      payload: 'hidden',
      altered: true,
    };

    await expect(replayRun(entries, t)).rejects.toThrow(
      'user said m4 report.8.due outside of a handler: pass { as: { user } }',
    );
    await expect(replayRun([altered], t)).rejects.toThrow('The payload of m1 a is not what was');
    expect(t.recorded()).toEqual([]);
    await replayRun([altered], t, { altered: true });
    expect(t.recorded().map(({ payload }) => payload)).toEqual(['hidden']);
  });

  it('goes on when what was said is refused or fails now', async () => {
    const t = createTestBus();
    const entries = (await firstRun()).recorded();

    await replayRun(entries, t, { as: { user: t.bus.register('user') } });

    const refused = t.recorded().filter(({ what }) => what === 'refused');
    expect(refused.map(({ topic }) => topic)).toEqual(['report.8.due', 'count']);
  });
});
