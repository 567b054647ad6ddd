import { describe, expect, it } from 'vitest';
import {
  type Choices,
  choicesText,
  readToken,
  tokenText,
} from '../../../src/testing/explore/choices.ts';
import { mostRuns, shrink } from '../../../src/testing/explore/shrink.ts';

const many: Choices = new Map(Array.from({ length: 40 }, (_, index) => [index * 2 + 1, 3]));

describe('shrink', () => {
  it.each<[string, (choices: Choices) => boolean, string]>([
    ['what always fails', () => true, ''],
    ['one choice', (choices) => choices.has(31), '31:1'],
    ['two choices', (choices) => choices.has(5) && choices.has(71), '5:1,71:1'],
    ['a choice of a certain lane', (choices) => (choices.get(9) ?? 0) >= 2, '9:2'],
    ['an even number', ({ size }) => size % 2 === 0 && size > 0, '1:1,3:1'],
  ])('reduces %s to what it takes', async (_, holds, expected) => {
    const shrunk = await shrink(many, async (choices) => holds(choices), 1_000);

    expect(choicesText(shrunk)).toBe(expected);
  });

  it('moves what comes later when a choice that was a step of its own is dropped', async () => {
    // With the choice at step 2 what matters comes at step 9, without it at step 8.
    const holds = async (choices: Choices) => choices.has(choices.has(2) ? 9 : 8);

    const shrunk = await shrink(
      new Map([
        [2, 1],
        [9, 1],
      ]),
      holds,
      100,
    );

    expect(choicesText(shrunk)).toBe('8:1');
  });

  it('spends no more runs than it may', async () => {
    let runs = 0;
    const holds = async (choices: Choices) => {
      runs += 1;
      return choices.size > 20;
    };

    const shrunk = await shrink(many, holds, 10);

    expect(runs).toBe(10);
    expect(shrunk.size).toBeGreaterThan(20);
  });
});

it.each([
  [1_000, 20, 1_000],
  [1_000, 0, 1_000],
  [0, 20, 0],
  [1_000, 2_000, 100],
  [1_000, 100_000, 2],
  [Infinity, 1_000_000, 1],
])('of %i runs of %i steps each, %i are made', (allowed, steps, made) => {
  expect(mostRuns(allowed, steps)).toBe(made);
});

describe('a schedule as text', () => {
  it.each(['42/4:1,9:2', '-7/', '1/10:3'])('is read back: %s', (text) => {
    expect(tokenText(readToken(text))).toBe(text);
  });

  it('may be a seed alone', () => {
    expect(readToken(' 42 ')).toEqual({ seed: 42, choices: new Map() });
  });

  it.each(['', 'x', '42/4', '42/4:1,', '4:1', '42/a:b'])('is refused: %j', (text) => {
    expect(() => readToken(text)).toThrow(
      "TELLASK_SEED must be a seed and choices such as '42/4:1,9:2'",
    );
  });
});
