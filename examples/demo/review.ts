import type { Answer, Claim, Finding, Objection, Verdict } from './finding.ts';

/** How the talk about a finding ended. `trail` is what was said, in order. */
export interface Review {
  readonly outcome: 'agreed' | 'withdrawn' | 'disputed';
  readonly finding: Finding;
  readonly trail: readonly string[];
}

/** The two who talk: in the demo each of these is a request to another agent. */
export interface Talk {
  verify(finding: Finding): Promise<Verdict>;
  reconsider(finding: Finding, objection: Objection): Promise<Answer>;
}

// These grant that the text is at fault by the letter, so the checker's reason can be accepted.
const YIELDING: readonly Claim[] = ['dialect', 'spelling'];

/** Lets verifier and checker talk until they agree, for at most `maxRounds` objections. */
export async function review(finding: Finding, talk: Talk, maxRounds = 3): Promise<Review> {
  const trail: string[] = [];
  let current = finding;
  for (let round = 0; round < maxRounds; round++) {
    const verdict = await talk.verify(current);
    trail.push(verdict.because);
    if (verdict.agrees) {
      return {
        outcome: 'agreed',
        finding: { ...current, line: verdict.line ?? current.line },
        trail,
      };
    }
    const answer = await talk.reconsider(current, verdict);
    trail.push(answer.because);
    if (!answer.stands) return { outcome: 'withdrawn', finding: current, trail };
    current = answer.finding;
    if (YIELDING.includes(verdict.claim)) return { outcome: 'agreed', finding: current, trail };
  }
  return { outcome: 'disputed', finding: current, trail };
}
