import type { Answer, Claim, Finding, Objection, Verdict } from './finding.ts';

/** How the talk about a finding ended. `trail` is what was said, in order. */
export interface Review {
  readonly outcome: 'agreed' | 'withdrawn' | 'disputed';
  readonly finding: Finding;
  readonly trail: readonly string[];
}

/** A finding with what the verifier has against it. */
export interface Contested {
  readonly finding: Finding;
  readonly objection: Objection;
}

/** The two who talk. In the demo `reconsider` is one request for all that a page is contested for. */
export interface Talk {
  verify(finding: Finding): Promise<Verdict>;
  /** One answer for each, in the same order. */
  reconsider(contested: readonly Contested[]): Promise<readonly Answer[]>;
}

type Item = Omit<Review, 'outcome'>;

// These grant that the text is at fault by the letter, so the checker's reason can be accepted.
const YIELDING: readonly Claim[] = ['dialect', 'spelling'];

/** Lets verifier and checker talk until they agree, for at most `maxRounds` rounds of objections. */
export async function review(
  findings: readonly Finding[],
  talk: Talk,
  maxRounds = 3,
): Promise<Review[]> {
  const ended: Review[] = [];
  let open: readonly Item[] = findings.map((finding) => ({ finding, trail: [] }));
  for (let round = 0; round < maxRounds && open.length > 0; round++) {
    open = await talkOnce(open, talk, ended);
  }
  return [...ended, ...open.map((item) => ({ outcome: 'disputed' as const, ...item }))];
}

/** One round: puts what is settled into `ended` and returns what is not. */
async function talkOnce(items: readonly Item[], talk: Talk, ended: Review[]): Promise<Item[]> {
  const contested: { item: Item; objection: Objection }[] = [];
  for (const { finding, trail } of items) {
    const verdict = await talk.verify(finding);
    const item = { finding, trail: [...trail, verdict.because] };
    if (!verdict.agrees) contested.push({ item, objection: verdict });
    else ended.push({ outcome: 'agreed', ...atLine(item, verdict.line) });
  }
  if (contested.length === 0) return [];
  const answers = await talk.reconsider(
    contested.map(({ item, objection }) => ({ finding: item.finding, objection })),
  );
  const open: Item[] = [];
  for (const [index, { item, objection }] of contested.entries()) {
    const answer = answers[index];
    if (answer === undefined) open.push(item);
    else settle(item, objection, answer, { ended, open });
  }
  return open;
}

function settle(
  item: Item,
  objection: Objection,
  answer: Answer,
  lists: { readonly ended: Review[]; readonly open: Item[] },
): void {
  const trail = [...item.trail, answer.because];
  if (!answer.stands) lists.ended.push({ outcome: 'withdrawn', finding: item.finding, trail });
  else if (!YIELDING.includes(objection.claim)) lists.open.push({ finding: answer.finding, trail });
  else lists.ended.push({ outcome: 'agreed', finding: answer.finding, trail });
}

function atLine({ finding, trail }: Item, line: number | undefined): Item {
  return { finding: line === undefined ? finding : { ...finding, line }, trail };
}
