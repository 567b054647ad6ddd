import { misuse } from '../../kernel/errors.ts';

/** At which step something else than the first lane was chosen, and which. */
export type Choices = ReadonlyMap<number, number>;

/** One schedule: everything that chance decides comes from the seed, and the rest is choices. */
export interface Token {
  readonly seed: number;
  readonly choices: Choices;
  /** Ids of the faults that are injected; all that the seed draws when there is no list. */
  readonly faults: readonly string[] | undefined;
}

/** `4:1,9:2`: at step 4 the second lane, at step 9 the third, and the first everywhere else. */
export function choicesText(choices: Choices): string {
  const entries = [...choices].toSorted(([one], [other]) => one - other);
  return entries.map(([step, choice]) => `${step}:${choice}`).join(',');
}

/** `42/4:1,9:2`, and behind a second slash the only faults: `42/4:1,9:2/0.k3f9a2` */
export function tokenText({ seed, choices, faults }: Token): string {
  const text = `${seed}/${choicesText(choices)}`;
  return faults === undefined ? text : `${text}/${faults.join(',')}`;
}

const TOKEN = /^(-?\d+)(?:\/((?:\d+:\d+(?:,\d+:\d+)*)?)(?:\/([\w.,]*))?)?$/;

/** Reads what `tokenText` wrote; a seed alone is its production order. */
export function readToken(text: string): Token {
  const match = TOKEN.exec(text.trim());
  if (match === null) throw misuse('TELLASK_SEED', "a seed and choices such as '42/4:1,9:2'", text);
  const entries = (match[2] ?? '').split(',').filter((entry) => entry !== '');
  const choices = new Map(
    entries.map((entry) => entry.split(':').map(Number) as [step: number, choice: number]),
  );
  const faults = match[3]?.split(',').filter((id) => id !== '');
  return { seed: Number(match[1]), choices, faults };
}
