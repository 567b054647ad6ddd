import { describe, expect, it } from 'vitest';
import { createTestBus, diffRuns, type RunEntry } from '../../src/testing.ts';

let ids = 0;
/** A message of nobody's handler, under another id each time. */
const say = (topic: string, payload: unknown = 1, causedBy?: string): RunEntry => ({
  atMs: 0,
  what: 'admitted',
  id: `x${ids++}`,
  type: 'event',
  from: 'ann',
  to: ['bob'],
  topic,
  payload,
  ...(causedBy === undefined ? {} : { causedBy }),
});

const runOf = (...topics: string[]): RunEntry[] => topics.map((topic) => say(topic));
const topicsOf = (lines: readonly string[]): string =>
  lines.map((line) => line.split('  ')[1]).join('');

// F:M
describe('the difference of two runs', () => {
  it.each<readonly [string, string, { added?: string; removed?: string; moved?: string }]>([
    ['abc', 'abc', {}],
    ['', '', {}],
    ['abc', 'abcd', { added: 'd' }],
    ['abc', 'ac', { removed: 'b' }],
    ['abc', '', { removed: 'abc' }],
    ['abcd', 'bcda', { moved: 'a' }],
    ['abcd', 'dabc', { moved: 'd' }],
    ['abcd', 'badc', { moved: expect.stringMatching(/^[ab][cd]$/) as never }],
    ['aab', 'aba', { moved: expect.stringMatching(/^[ab]$/) as never }],
    ['aab', 'ab', { removed: 'a' }],
    ['abc', 'xcb', { added: 'x', removed: 'a', moved: expect.stringMatching(/^[bc]$/) as never }],
  ])('%j, %j', (before, after, lists) => {
    const diff = diffRuns(runOf(...before), runOf(...after));

    expect({
      added: topicsOf(diff.added),
      removed: topicsOf(diff.removed),
      moved: topicsOf(diff.moved),
    }).toEqual({ added: '', removed: '', moved: '', ...lists });
    expect(diff.same).toBe(before === after);
  });

  it('knows a message by what led to it, and not by its id', () => {
    const [a, b] = [say('a'), say('b')];
    const [c, d] = [say('b'), say('a')];
    const before = [a, b, say('x', 1, a.id), say('y', 1, b.id)];
    const after = [c, d, say('x', 1, c.id), say('y', 1, d.id)];

    expect(
      diffRuns(
        before,
        before.map((one) => ({ ...one })),
      ).same,
    ).toBe(true);
    expect(diffRuns([a, say('x', 1, a.id)], [d, say('x', 1, d.id)]).same).toBe(true);
    expect(topicsOf(diffRuns(before, after).added)).toBe('xy');
  });

  it('shows what says something else, and not in which order its fields are', () => {
    const diff = diffRuns(
      [say('a', { n: 1, m: [1] }), say('b', { n: 1 })],
      [say('a', { m: [1], n: 1 }), say('b', { n: 2 })],
    );

    expect(diff.changed).toEqual(['ann -> bob  b  admitted event']);
    expect(diff.first).toBe(undefined);
  });

  it('says nothing of a payload that is not what was said, or that cannot be compared', () => {
    const altered = { ...say('a', 'hidden'), altered: true } as const;

    expect(diffRuns([altered], [say('a', 'open')]).same).toBe(true);
    expect(diffRuns([say('a', 1n)], [say('a', 2n)]).same).toBe(true);
  });

  it('counts another time only when it is asked to', () => {
    const before = say('a');
    const after = { ...before, atMs: 7 };

    expect(diffRuns([before], [after]).same).toBe(true);
    expect(diffRuns([before], [after], { times: true })).toMatchObject({
      same: false,
      retimed: ['ann -> bob  a  admitted event  (0 ms, now 7 ms)'],
    });
  });

  it('is printed with the place where the runs part', async () => {
    const run = async (fails: boolean): Promise<RunEntry[]> => {
      const t = createTestBus();
      t.bus.register('critic').subscribe('draft', (_, context) => {
        if (fails) throw new TypeError('no');
        context.publish('review', {});
      });
      t.bus.publish('draft', {});
      await t.run();
      return t.recorded();
    };

    expect(diffRuns(await run(false), await run(true)).text).toBe(
      [
        'The runs part here:',
        '- critic -> nobody  review  admitted event',
        '+ $host -> critic  draft  dead-lettered (handler-error, TypeError)',
        'added:',
        '  $host -> critic  draft  dead-lettered (handler-error, TypeError)',
        'removed:',
        '  critic -> nobody  review  admitted event',
        '  $host -> critic  draft  handled',
        '',
      ].join('\n'),
    );
  });
});
