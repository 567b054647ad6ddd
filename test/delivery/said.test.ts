import { describe, expect, it } from 'vitest';
import { lineageOf, readAsked, readMs, readTold } from '../../src/delivery/said.ts';
import type { Cause } from '../../src/delivery/speech.ts';

const wall = (): number => 1_000;

function causeWith(headers: Record<string, string>, priority = 8): Cause {
  const message = {
    id: 'm7',
    correlationId: 'm1',
    headers,
    priority,
    lineage: { depth: 2, hops: 5 },
  };
  return { message, deadline: 99, running: true, onAbort: () => () => {} } as unknown as Cause;
}

describe('what is said', () => {
  it('is event or task, normal, for ever and at once, unless it says otherwise', () => {
    const rest = { priority: 5, ttlMs: Infinity, delayMs: 0 };
    expect(readTold('publish', undefined, undefined, wall)).toMatchObject({
      type: 'event',
      ...rest,
    });
    expect(readTold('send', {}, undefined, wall)).toMatchObject({ type: 'task', ...rest });
    expect(readTold('publish', undefined, undefined, wall)).toBe(
      readTold('publish', undefined, undefined, wall),
    );
  });

  it('is delayed by the later of a duration and an instant', () => {
    const delay = (options: object): number =>
      readTold('publish', options, undefined, wall).delayMs;
    expect(delay({ delayMs: 20, deliverAt: 1_010 })).toBe(20);
    expect(delay({ delayMs: 5, deliverAt: 1_010 })).toBe(10);
    expect(delay({ deliverAt: 500 })).toBe(0);
  });

  it('inherits the headers of a trace and no others; its own win', () => {
    const cause = causeWith({ traceparent: 'a', tracestate: 'b', secret: 'c' });
    const read = (options?: object) => ({ ...readTold('publish', options, cause, wall).headers });

    expect(read()).toEqual({ traceparent: 'a', tracestate: 'b' });
    expect(read({ headers: { traceparent: 'mine' } })).toEqual({
      traceparent: 'mine',
      tracestate: 'b',
    });
    expect(readTold('publish', undefined, causeWith({}), wall).headers).toBeUndefined();
  });

  it('asks with the priority of its cause, and tells with the normal one', () => {
    expect(readAsked({}, causeWith({}, 8)).priority).toBe(8);
    expect(readAsked({ priority: 'low' }, causeWith({}, 8)).priority).toBe(2);
    expect(readAsked({}, undefined).priority).toBe(5);
    expect(readTold('send', {}, causeWith({}, 8), wall).priority).toBe(5);
    expect(readAsked({ idempotencyKey: 'k' }, undefined).headers).toMatchObject({
      'idempotency-key': 'k',
    });
  });

  it('carries its lineage on', () => {
    expect(lineageOf(undefined, undefined)).toBeUndefined();
    expect(lineageOf(undefined, 'mine')).toMatchObject({ correlationId: 'mine', hops: 0 });
    expect(lineageOf(causeWith({}), undefined, 50, 1)).toEqual({
      correlationId: 'm1',
      causationId: 'm7',
      deadline: 50,
      depth: 3,
      hops: 6,
      retries: 0,
    });
  });

  it.each([
    ['1', TypeError, 'limitMs must be a number of milliseconds, but it is "1"'],
    [null, TypeError, 'limitMs must be a number of milliseconds, but it is null'],
    [-1, RangeError, 'limitMs must be 0 or more milliseconds, but it is -1'],
    [Number.NaN, RangeError, 'limitMs must be 0 or more milliseconds, but it is NaN'],
  ])('says of %s what was expected', (value, kind, text) => {
    const read = (): unknown => readMs('limitMs', value as never);
    expect(read).toThrow(kind);
    expect(read).toThrow(text);
  });

  it('takes 0, Infinity and nothing for a duration', () => {
    expect([readMs('a', 0), readMs('a', Infinity), readMs('a', undefined)]).toEqual([
      0,
      Infinity,
      undefined,
    ]);
  });
});
