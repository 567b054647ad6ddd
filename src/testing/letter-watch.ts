import type { DeadLetter, LetterFilter } from '../delivery/dead-letters.ts';
import { matcher } from '../delivery/letter-filter.ts';
import { ExpectationError } from './errors.ts';
import { show } from './message-filter.ts';

/** What a test expects of the dead letters of its bus. */
export interface TestDeadLetters {
  /**
   * Resolves at rest with the letters that fit, at least one; each is expected from then on. Rejects
   * with ExpectationError `TELLASK_EXPECTATION`.
   */
  expect(filter?: LetterFilter): Promise<readonly DeadLetter[]>;
  /** Resolves at rest if there is no letter that was neither expected nor suppressed. */
  expectNone(filter?: LetterFilter): Promise<void>;
  /** Letters that fit are of no interest, those that come later included. */
  suppress(filter?: LetterFilter): void;
}

/** Knows which letters a test has asked for. */
export class LetterWatch implements TestDeadLetters {
  readonly #settle: () => Promise<void>;
  readonly #list: () => readonly DeadLetter[];
  readonly #expected = new Set<string>();
  readonly #suppressed: ((letter: DeadLetter) => boolean)[] = [];

  constructor(settle: () => Promise<void>, list: () => readonly DeadLetter[]) {
    this.#settle = settle;
    this.#list = list;
  }

  async expect(filter: LetterFilter = {}): Promise<readonly DeadLetter[]> {
    const fits = matcher(filter);
    await this.#settle();
    const all = this.#list();
    const found = all.filter(fits);
    if (found.length === 0) {
      const what = `Expected a dead letter${showFilter(filter)}, but there ${thereAre(all)}`;
      throw new ExpectationError(what, filter, all.map(showLetter));
    }
    for (const { id } of found) this.#expected.add(id);
    return found;
  }

  async expectNone(filter: LetterFilter = {}): Promise<void> {
    const fits = matcher(filter);
    await this.#settle();
    const found = this.unexpected.filter(fits);
    if (found.length === 0) return;
    const what = `Expected no dead letter${showFilter(filter)}, but there ${thereAre(found)}`;
    throw new ExpectationError(what, [], found.map(showLetter));
  }

  suppress(filter: LetterFilter = {}): void {
    this.#suppressed.push(matcher(filter));
  }

  /** Those that nobody has asked for. */
  get unexpected(): DeadLetter[] {
    return this.#list().filter(
      (letter) =>
        !this.#expected.has(letter.id) && !this.#suppressed.some((matches) => matches(letter)),
    );
  }
}

function showFilter(filter: LetterFilter): string {
  return Object.keys(filter).length === 0 ? '' : ` with ${show(filter)}`;
}

function thereAre(letters: readonly DeadLetter[]): string {
  if (letters.length === 0) return 'is none';
  const lines = letters.map((letter) => `\n  ${showLetter(letter)}`).join('');
  return `${letters.length === 1 ? 'is' : 'are'}:${lines}`;
}

/** A letter on one line. */
export function showLetter({
  id,
  message,
  recipient,
  reason,
  attempts,
  error,
}: DeadLetter): string {
  const { topic, from } = message;
  const to = recipient === undefined ? '' : ` to ${recipient}`;
  const tried =
    attempts === 0 ? '' : ` after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;
  const why = error === undefined ? '' : `: ${error.message}`;
  return `${id} ${topic} (${message.id}) from ${from}${to}: ${reason}${tried}${why}`;
}
