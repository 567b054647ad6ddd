import { describe, expect, it } from 'vitest';
import { createRedactor, escapeText } from '../../src/observe/redaction.ts';

const CANARY = 'canary-7f3a';
const redact = createRedactor({ keys: ['ssn'] });

describe('createRedactor', () => {
  // R:E7
  it.each([
    'password',
    'PASSWORD',
    'client_secret',
    'apiKey',
    'api-key',
    'Authorization',
    'set-cookie',
    'privateKey',
    'accessToken',
    'SSN',
  ])('hides the value of %s wherever it stands', (key) => {
    const value = {
      [key]: CANARY,
      list: [{ [key]: { inner: CANARY } }],
      map: new Map([[key, CANARY]]),
      error: Object.assign(new Error('failed'), { [key]: CANARY }),
    };

    const text = JSON.stringify(redact(value));

    expect(text).not.toContain(CANARY);
    expect(text).toContain('[redacted]');
    expect(value[key]).toBe(CANARY);
  });

  it('copies the rest as it is', () => {
    const value = { a: 1, b: ['x', null, true], tokens: 7, when: new Date(0), set: new Set([1]) };

    expect(redact(value)).toEqual({ ...value, set: [1] });
    expect(redact(value)).not.toBe(value);
  });

  it('shows name, message and own fields of an error', () => {
    expect(redact(Object.assign(new TypeError('bad'), { code: 'E1' }))).toEqual({
      name: 'TypeError',
      message: 'bad',
      code: 'E1',
    });
  });

  it('runs no accessor and shows no class instance', () => {
    const value = {
      get x() {
        throw new Error('ran');
      },
      model: new (class Model {
        key = CANARY;
      })(),
      call: () => CANARY,
      trap: new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('trap');
          },
        },
      ),
    };

    expect(redact(value)).toEqual({
      x: '[accessor]',
      model: '[object]',
      call: '[function]',
      trap: '[unreadable]',
    });
  });

  it('ends on cycles, depth and size', () => {
    const shared = [1];
    const cyclic: Record<string, unknown> = { shared, twice: shared };
    cyclic['self'] = cyclic;
    let deep: unknown = 'bottom';
    for (let i = 0; i < 10_000; i++) deep = [deep];

    expect(redact(cyclic)).toEqual({ shared: [1], twice: [1], self: '[circular]' });
    expect(JSON.stringify(redact(deep))).toBe('[[[[[[[["[too deep]"]]]]]]]]');
    expect((redact(Array(5_000).fill(0)) as unknown[]).at(-1)).toBe('[4000 more]');
    const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, i]));
    expect(Object.entries(redact(wide) as object).at(-1)).toEqual(['[more]', '[left out]']);
    expect((redact('x'.repeat(1e6)) as string).length).toBeLessThan(10_100);
  });

  // R:E2
  it('takes hostile keys for keys', () => {
    const copy = redact(JSON.parse('{"__proto__":{"polluted":1}}')) as Record<string, unknown>;

    expect(Object.keys(copy)).toEqual(['__proto__']);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('escapeText', () => {
  // R:E7
  it('leaves one line without control and direction characters', () => {
    expect(escapeText('a\nb\r\tc\u001b[31m\u202ed\u2028e\\n')).toBe(
      'a\\nb\\r\\tc\\u001b[31m\\u202ed\\u2028e\\\\n',
    );
  });

  it('leaves ordinary text alone', () => {
    expect(escapeText('Grüße, 世界 🎉 "x"')).toBe('Grüße, 世界 🎉 "x"');
  });
});
