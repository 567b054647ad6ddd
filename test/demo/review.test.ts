import { expect, it } from 'vitest';
import type { Answer, Finding, Verdict } from '../../examples/demo/finding.ts';
import { type Contested, review as reviewAll, type Talk } from '../../examples/demo/review.ts';

async function review(finding: Finding, between: Talk, maxRounds?: number) {
  return (await reviewAll([finding], between, maxRounds))[0];
}

const FINDING: Finding = {
  kind: 'bad-json',
  file: 'a.md',
  line: 1,
  subject: 'json block of line 1',
  message: 'It does not parse.',
  advice: 'Mend it.',
};
const agrees: Verdict = { agrees: true, because: 'seen too', line: 4 };
const objects = (claim: 'excerpt' | 'dialect'): Verdict => ({
  agrees: false,
  claim,
  because: 'no',
});

const talk = (verdict: Verdict, answer: Answer) => ({
  verify: async () => verdict,
  reconsider: async (contested: readonly Contested[]) => contested.map(() => answer),
});

it('agrees at once, at the line that the verifier tells', async () => {
  const ended = await review(FINDING, talk(agrees, { stands: false, because: 'never asked' }));

  expect(ended).toEqual({
    outcome: 'agreed',
    finding: { ...FINDING, line: 4 },
    trail: ['seen too'],
  });
});

it('withdraws what the checker takes back', async () => {
  const answer: Answer = { stands: false, because: 'true' };

  expect(await review(FINDING, talk(objects('excerpt'), answer))).toMatchObject({
    outcome: 'withdrawn',
  });
});

it('keeps the better advice of a finding that the checker confirms', async () => {
  const finding = { ...FINDING, advice: 'Call it jsonc.' };
  const ended = await review(
    FINDING,
    talk(objects('dialect'), { stands: true, because: 'x', finding }),
  );

  expect(ended).toMatchObject({ outcome: 'agreed', finding: { advice: 'Call it jsonc.' } });
});

it('ends disputed when neither gives in', async () => {
  const answer: Answer = { stands: true, because: 'yes', finding: FINDING };
  const ended = await review(FINDING, talk(objects('excerpt'), answer), 2);

  expect(ended).toMatchObject({ outcome: 'disputed', trail: ['no', 'yes', 'no', 'yes'] });
});

it('asks once a round for all that is contested', async () => {
  const asked: number[] = [];
  const findings = Array.from({ length: 200 }, (_, line) => ({ ...FINDING, line }));
  const reviews = await reviewAll(findings, {
    verify: async () => objects('excerpt'),
    reconsider: async (contested) => {
      asked.push(contested.length);
      return contested.map(() => ({ stands: false, because: 'true' }));
    },
  });

  expect(asked).toEqual([200]);
  expect(reviews.map((ended) => ended.finding.line)).toEqual(findings.map((found) => found.line));
});
