import { expect, it } from 'vitest';
import type { Answer, Finding, Verdict } from '../../examples/demo/finding.ts';
import { review } from '../../examples/demo/review.ts';

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
  reconsider: async () => answer,
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

  expect((await review(FINDING, talk(objects('excerpt'), answer))).outcome).toBe('withdrawn');
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
