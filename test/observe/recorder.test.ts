import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/message/message.ts';
import { Recorder } from '../../src/observe/recorder.ts';

const message = (seq: number): Message => ({
  id: `m${seq}`,
  seq,
  type: 'event',
  topic: `t.${seq}`,
  family: 't.{n}',
  params: {},
  from: 'ann',
  to: undefined,
  payload: 'canary',
  priority: 5,
  correlationId: 'm1',
  causationId: undefined,
  headers: {},
  sentAt: 0,
  expiresAt: undefined,
});

describe('Recorder', () => {
  it('puts an answer behind its request, also when it hears of the answer first', () => {
    const recorder = new Recorder();
    const { observe, answered } = recorder;
    const request: Message = { ...message(2), type: 'request' };

    observe(message(1), { recipients: [] });
    answered({ message: request, recipient: 'bob' });
    observe(request, { recipients: ['bob'] });
    observe(message(3), { recipients: [] });

    expect(recorder.entries().map(({ id }) => id)).toEqual(['m1', 'm2', 'm2-reply', 'm3']);
  });

  it('keeps the answer to a request as a reply, and passes over what else was handled', () => {
    const recorder = new Recorder();
    const { answered } = recorder;

    recorder.observe({ ...message(1), type: 'request' }, { recipients: ['bob'] });
    answered({ message: { ...message(1), type: 'request' }, recipient: 'bob' });
    answered({ message: message(2), recipient: 'bob' });

    expect(recorder.entries().slice(1)).toEqual([
      {
        seq: 1,
        id: 'm1-reply',
        causationId: 'm1',
        correlationId: 'm1',
        type: 'reply',
        topic: 't.1',
        from: 'bob',
        to: ['ann'],
      },
    ]);
  });

  it('keeps who said what to whom, and no payload', () => {
    const recorder = new Recorder();
    const { observe } = recorder;

    observe(message(1), { recipients: ['bob', 'eve'] });

    expect(recorder.entries()).toEqual([
      {
        seq: 1,
        id: 'm1',
        causationId: undefined,
        correlationId: 'm1',
        type: 'event',
        topic: 't.1',
        from: 'ann',
        to: ['bob', 'eve'],
      },
    ]);
  });

  it('forgets the oldest beyond its limit', () => {
    const recorder = new Recorder({ limit: 3 });
    const seen: string[] = [];

    for (let seq = 1; seq <= 7; seq++) {
      recorder.observe(message(seq), { recipients: [] });
      seen.push(
        recorder
          .entries()
          .map((entry) => entry.seq)
          .join(''),
      );
    }

    expect(seen).toEqual(['1', '12', '123', '234', '345', '456', '567']);
  });

  it('notes outcomes of what it still knows', () => {
    const recorder = new Recorder({ limit: 2 });
    for (let seq = 1; seq <= 3; seq++) recorder.observe(message(seq), { recipients: ['bob'] });

    recorder.settle(1, 'expired');
    recorder.settle(3, 'expired');

    expect(recorder.entries().map(({ outcome }) => outcome)).toEqual([undefined, 'expired']);
  });

  it('does not change what it handed out, and can be cleared', () => {
    const recorder = new Recorder();
    const recipients = ['bob'];
    recorder.observe(message(1), { recipients });
    const before = recorder.entries();

    recipients.push('eve');
    recorder.settle(1, 'expired');
    recorder.clear();

    expect(before.map(({ to, outcome }) => [to, outcome])).toEqual([[['bob'], undefined]]);
    expect(recorder.entries()).toEqual([]);
  });

  it('refuses a limit that is no integer from 1', () => {
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      expect(() => new Recorder({ limit })).toThrow(RangeError);
    }
  });
});
