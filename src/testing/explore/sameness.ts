import { NondeterminismError } from './errors.ts';
import type { Failure, Run } from './schedule.ts';
import { readThrown } from './thrown.ts';

/** What is the same for two failures of one kind: numbers, ids and quoted values may differ. */
export function kindOf({ error }: Failure): string {
  const thrown = readThrown(error);
  if (thrown === undefined) return `thrown ${typeof error}`;
  const { name, message, code } = thrown;
  const text = (message.split('\n', 1)[0] as string)
    .replace(/'[^']*'|"[^"]*"|`[^`]*`/g, '""')
    .replace(/\d+/g, '0');
  return `${name} ${code} ${text}`;
}

/** Throws when two runs that were to be the same were not. */
export function checkSame(one: Run, other: Run): void {
  const [counts, again] = [one.course.counts, other.course.counts];
  const length = Math.min(counts.length, again.length);
  for (let index = 0; index < length; index += 1) {
    if (counts[index] === again[index]) continue;
    throw new NondeterminismError(
      index + 1,
      `${counts[index]} lanes were ready in one and ${again[index]} in the other`,
      one.failure?.error,
    );
  }
  if (counts.length !== again.length) {
    const difference = `one took ${counts.length} steps and the other ${again.length}`;
    throw new NondeterminismError(length + 1, difference, one.failure?.error);
  }
  const [kind, kindAgain] = [one, other].map(({ failure }) => failure && kindOf(failure));
  if (kind === kindAgain) return;
  throw new NondeterminismError(
    length,
    other.failure === undefined ? 'one failed and the other did not' : 'they failed differently',
    one.failure?.error,
  );
}
