import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkLinearizable,
  type RecordedOperation,
  type SequentialModel,
} from '../../src/testing/linearizable.ts';

type Input = { readonly write: number } | { readonly swap: readonly [number, number] } | 'read';
type Operation = RecordedOperation<Input, number | boolean | undefined>;

/** A register that can be written, read, and swapped for another value if it has a certain one. */
const register: SequentialModel<number, Input, number | boolean | undefined> = {
  initial: () => 0,
  step(state, input, output, returned) {
    if (input === 'read') return !returned || output === state ? { state } : undefined;
    if ('write' in input) return { state: input.write };
    const [from, to] = input.swap;
    const swaps = state === from;
    if (returned && output !== swaps) return undefined;
    return { state: swaps ? to : state };
  },
};

const op = (
  client: string,
  input: Input,
  output: number | boolean | undefined,
  calledAt: number,
  returnedAt: number,
): Operation => ({ client, input, output, calledAt, returnedAt });

describe('checkLinearizable', () => {
  it.each<[string, boolean, Operation[]]>([
    ['an empty history', true, []],
    [
      'a read of what was written',
      true,
      [op('a', { write: 1 }, undefined, 0, 1), op('b', 'read', 1, 2, 3)],
    ],
    ['a stale read', false, [op('a', { write: 1 }, undefined, 0, 1), op('b', 'read', 0, 2, 3)]],
    [
      'an old value while the write runs',
      true,
      [op('a', { write: 1 }, undefined, 0, 9), op('b', 'read', 0, 2, 3)],
    ],
    [
      'a value that goes back',
      false,
      [op('a', { write: 1 }, undefined, 0, 9), op('b', 'read', 1, 2, 3), op('c', 'read', 0, 4, 5)],
    ],
    [
      'two that win the same swap',
      false,
      [op('a', { swap: [0, 1] }, true, 0, 9), op('b', { swap: [0, 2] }, true, 0, 9)],
    ],
    [
      'one that wins the swap',
      true,
      [op('a', { swap: [0, 1] }, true, 0, 9), op('b', { swap: [0, 2] }, false, 0, 9)],
    ],
    [
      'a write that never returned and was seen',
      true,
      [op('a', { write: 1 }, undefined, 0, Infinity), op('b', 'read', 1, 5, 6)],
    ],
    [
      'a write that never returned and was not',
      true,
      [op('a', { write: 1 }, undefined, 0, Infinity), op('b', 'read', 0, 5, 6)],
    ],
    [
      'a call at the instant of a return',
      true,
      [op('a', { write: 1 }, undefined, 0, 2), op('b', 'read', 0, 2, 3)],
    ],
  ])('says of %s: %s', (_what, linearizable, history) => {
    expect(checkLinearizable(history, register).linearizable).toBe(linearizable);
  });

  it('names the key, and the operation that fits nowhere', () => {
    const write = { ...op('a', { write: 1 }, undefined, 0, 1), key: 'x' };
    const stale = { ...op('b', 'read', 0, 2, 3), key: 'x' };
    const other = { ...op('b', 'read', 0, 2, 3), key: 'y' };

    expect(checkLinearizable([other, write, stale], register)).toEqual({
      linearizable: false,
      key: 'x',
      prefix: [write],
      stuck: stale,
    });
  });

  it('refuses an operation that returned before it was called', () => {
    expect(() => checkLinearizable([op('a', 'read', 0, 2, 1)], register)).toThrow(RangeError);
  });

  it('says the same as trying every order', () => {
    const input = fc.oneof(
      fc.constant<Input>('read'),
      fc.record({ write: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ swap: fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })) }),
    );
    const operation = fc
      .record({
        input,
        output: fc.oneof(fc.integer({ min: 0, max: 2 }), fc.boolean()),
        calledAt: fc.integer({ min: 0, max: 8 }),
        lasts: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant(Infinity)),
      })
      .map((one) => op('c', one.input, one.output, one.calledAt, one.calledAt + one.lasts));
    const seen = { yes: 0, no: 0 };

    fc.assert(
      fc.property(fc.array(operation, { maxLength: 5 }), (history) => {
        const expected = hasOrder(history, 0);
        seen[expected ? 'yes' : 'no']++;
        expect(checkLinearizable(history, register).linearizable).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(seen.yes, seen.no)).toBeGreaterThan(200);
  });

  it('is not slow where long histories overlap little', () => {
    const history = Array.from({ length: 2_000 }, (_, i) =>
      op(
        `c${i % 4}`,
        i % 2 === 0 ? { write: i } : 'read',
        i % 2 === 0 ? undefined : i - 1,
        i,
        i + 0.5,
      ),
    );

    expect(checkLinearizable(history, register).linearizable).toBe(true);
  });
});

/** Every order in which nothing comes before what returned before it was called. */
function hasOrder(left: readonly Operation[], state: number): boolean {
  // What never returned may never have happened.
  if (left.every(({ returnedAt }) => returnedAt === Infinity)) return true;
  return left.some((next) => {
    const others = left.filter((one) => one !== next);
    if (others.some(({ returnedAt }) => returnedAt < next.calledAt)) return false;
    const returned = next.returnedAt !== Infinity;
    const after = register.step(state, next.input, returned ? next.output : undefined, returned);
    return after !== undefined && hasOrder(others, after.state);
  });
}
