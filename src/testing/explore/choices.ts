import { misuse } from '../../kernel/errors.ts';

/** At which step something else than the first lane was chosen, and which. */
export type Choices = ReadonlyMap<number, number>;

/** One schedule: everything that chance decides comes from the seed, and the rest is choices. */
export interface Token {
  readonly seed: number;
  readonly choices: Choices;
}

/** `4:1,9:2`: at step 4 the second lane, at step 9 the third, and the first everywhere else. */
export function choicesText(choices: Choices): string {
  const entries = [...choices].toSorted(([one], [other]) => one - other);
  return entries.map(([step, choice]) => `${step}:${choice}`).join(',');
}

/** `42/4:1,9:2` */
export function tokenText({ seed, choices }: Token): string {
  return `${seed}/${choicesText(choices)}`;
}

/** Reads what `tokenText` wrote; a seed alone is its production order. */
export function readToken(text: string): Token {
  const match = /^(-?\d+)(?:\/((?:\d+:\d+(?:,\d+:\d+)*)?))?$/.exec(text.trim());
  if (match === null) throw misuse('TELLASK_SEED', "a seed and choices such as '42/4:1,9:2'", text);
  const entries = (match[2] ?? '').split(',').filter((entry) => entry !== '');
  const choices = new Map(
    entries.map((entry) => entry.split(':').map(Number) as [step: number, choice: number]),
  );
  return { seed: Number(match[1]), choices };
}
