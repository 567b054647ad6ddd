import { type RecordedMessage, topic } from 'tellask';
import { expect, it } from 'vitest';
import { drawWay, pickWay } from '../../examples/demo/way.ts';

let seq = 0;
function said(
  conversation: string,
  [from, to]: readonly [string, string],
  what: string,
  more: Partial<RecordedMessage> = {},
): RecordedMessage {
  seq++;
  const causationId = `${conversation}1`;
  const id = more.causationId === undefined && from === 'scout' ? causationId : `m${seq}`;
  return {
    seq,
    id,
    causationId: from === 'scout' ? undefined : causationId,
    correlationId: conversation,
    type: 'event',
    topic: what,
    from,
    to: [to],
    ...more,
  };
}

const found = (path: string) => topic('file.{path}.found', { path });
const A = [
  said('a', ['scout', 'editor'], found('a.md')),
  said('a', ['editor', 'reader-1'], 'extract'),
  said('a', ['verifier', 'writer'], topic('page.{path}.reviewed', { path: 'a.md' })),
];
const B = [
  said('b', ['scout', 'editor'], found('b.md')),
  said('b', ['editor', 'reader-1'], 'extract', { outcome: 'expired' }),
  said('b', ['verifier', 'writer'], topic('page.{path}.reviewed', { path: 'b.md' })),
];

it('picks a way with a detour', () => {
  expect(pickWay([...A, ...B])?.name).toBe('b.md');
  expect(pickWay([...A, ...B], ['b.md'])?.name).toBe('a.md');
  expect(pickWay([])).toBeUndefined();
});

it('draws what was caused under its cause, with how it ended', () => {
  expect(drawWay({ name: 'b.md', messages: B })).toEqual([
    'scout → editor  file.{path}.found',
    '├─ editor → reader-1  extract  ✗ expired',
    '└─ verifier → writer  page.{path}.reviewed',
  ]);
});
