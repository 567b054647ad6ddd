import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { compilePattern, type Pattern } from '../message/pattern.ts';
import type { DeadLetter, LetterFilter } from './dead-letters.ts';

const FIELDS: ReadonlySet<string> = new Set<keyof LetterFilter>([
  'id',
  'reason',
  'topic',
  'recipient',
  'refused',
  'quarantined',
]);

/** Says which letters fit. A mistyped field would fit all of them. */
export function matcher(filter: LetterFilter = {}): (letter: DeadLetter) => boolean {
  if (typeof filter !== 'object' || filter === null)
    throw misuse('The filter', 'an object', filter);
  refuseUnknown(filter, FIELDS, 'The filter of letters');
  const pattern: Pattern | undefined =
    filter.topic === undefined ? undefined : compilePattern(filter.topic);
  return (letter) =>
    isOneOf(filter.id, letter.id) &&
    isOneOf(filter.reason, letter.reason) &&
    (pattern === undefined || pattern.matches(letter.message.topic)) &&
    (filter.recipient === undefined || filter.recipient === letter.recipient) &&
    (filter.refused === undefined || filter.refused === letter.refused) &&
    (filter.quarantined === undefined || filter.quarantined === letter.quarantined);
}

function isOneOf(wanted: string | readonly string[] | undefined, value: string): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === 'string' ? wanted === value : wanted.includes(value);
}
