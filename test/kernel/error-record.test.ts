import { describe, expect, it } from 'vitest';
import { type ErrorRecord, toErrorRecord } from '../../src/kernel/error-record.ts';
import { TellaskError } from '../../src/kernel/errors.ts';

function countCauses(record: ErrorRecord): number {
  return record.cause.reduce((sum, cause) => sum + 1 + countCauses(cause), 0);
}

// R:C5
describe('toErrorRecord', () => {
  it('keeps name, message, code and whether a retry may help', () => {
    expect(toErrorRecord(new TellaskError('TELLASK_TIMEOUT', 'No answer'))).toEqual({
      name: 'TellaskError',
      message: 'No answer',
      code: 'TELLASK_TIMEOUT',
      retryable: true,
      cause: [],
    });
  });

  it('leaves the code of a plain error out, and takes it for one that no retry helps', () => {
    expect(toErrorRecord(new RangeError('too far'))).toEqual({
      name: 'RangeError',
      message: 'too far',
      retryable: false,
      cause: [],
    });
  });

  it('follows causes and the errors of an AggregateError', () => {
    const inner = new Error('inner', { cause: new TypeError('root') });
    const error = new AggregateError([inner, 'text'], 'all failed');

    const record = toErrorRecord(error);

    expect(record.cause.map((cause) => cause.message)).toEqual(['inner', 'text']);
    expect(record.cause[0]?.cause[0]).toMatchObject({ name: 'TypeError', message: 'root' });
  });

  it('survives cycles', () => {
    const a = new Error('a');
    const b = new Error('b', { cause: a });
    a.cause = b;

    const record = toErrorRecord(a);

    expect(record.cause[0]?.message).toBe('b');
    expect(countCauses(record)).toBe(1);
  });

  it('keeps at most 8 causes, in depth and in width', () => {
    let deep = new Error('root');
    for (let i = 0; i < 100; i += 1) deep = new Error(`level ${i}`, { cause: deep });
    const wide = new AggregateError(Array.from({ length: 100 }, (_, i) => new Error(`${i}`)));

    expect(countCauses(toErrorRecord(deep))).toBe(8);
    expect(countCauses(toErrorRecord(wide))).toBe(8);
  });

  it('cuts a message at 1 000 characters', () => {
    const { message } = toErrorRecord(new Error('x'.repeat(5_000)));

    expect(message).toBe(`${'x'.repeat(999)}…`);
  });

  it('survives getters and proxies that throw', () => {
    const hostile = new Error('hidden');
    for (const key of ['name', 'message', 'code', 'cause', 'retryable', 'errors']) {
      Object.defineProperty(hostile, key, {
        get: () => {
          throw new Error('hostile');
        },
      });
    }
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();

    const expected = { name: 'Error', message: 'Thrown: an object', retryable: false, cause: [] };
    expect(toErrorRecord(hostile)).toEqual(expected);
    expect(toErrorRecord(proxy)).toEqual(expected);
  });

  it('makes a record of whatever was thrown', () => {
    const messages = ['no', undefined, null, 7, { secret: 1 }].map((v) => toErrorRecord(v).message);

    expect(messages).toEqual([
      'no',
      'Thrown: undefined',
      'Thrown: null',
      'Thrown: 7',
      'Thrown: an object',
    ]);
  });

  it('is plain data', () => {
    const record = toErrorRecord(new Error('a', { cause: new Error('b') }));

    expect(structuredClone(record)).toEqual(record);
    expect(JSON.parse(JSON.stringify(record))).toEqual(record);
  });
});
