import type { LetterFilter } from '../delivery/dead-letters.ts';
import type { LetterDesk } from '../delivery/letter-desk.ts';
import type { Invariants } from './invariants.ts';
import { showLetter } from './letter-watch.ts';
import { describeFilter, filterOf, type MessageFilter, show, testOf } from './message-filter.ts';
import type { RunEntry } from './run-entry.ts';

/** Which deliveries: a pattern over the topic, or every field that narrows. */
export interface DeliveryFilter extends MessageFilter {
  /** Who got it: an agent's name, or `$host`. */
  readonly to?: string;
}

/** What a check found. */
export interface Verdict {
  readonly pass: boolean;
  /** What was expected, in words: behind `Expected` or `Expected not`. */
  readonly wanted: string;
  /** What was there, a line each. */
  readonly found: readonly string[];
  readonly expected: unknown;
}

/** A test bus, as far as the checks look at it. */
export interface Checked {
  /** What has happened, in order. */
  recorded(): readonly RunEntry[];
  /** What goes on still, a line each. */
  pendingWork(): readonly string[];
  readonly invariants: Pick<Invariants, 'violations'>;
  readonly bus: { readonly deadLetters: Pick<LetterDesk, 'list'> };
}

/** A delivery of the kind was handled. */
export function delivered(t: Checked, filter: string | DeliveryFilter): Verdict {
  const handled = handledBy(t);
  const fits = fitting(filter);
  return {
    pass: handled.some(fits),
    wanted: `${described(filter)} to be delivered`,
    found: handled.map(lineOf),
    expected: filter,
  };
}

/** Deliveries of these kinds were handled one after the other; others may lie between them. */
export function handledInOrder(t: Checked, filters: readonly (string | DeliveryFilter)[]): Verdict {
  const handled = handledBy(t);
  let at = 0;
  for (const one of handled) {
    const next = filters[at];
    if (next !== undefined && fitting(next)(one)) at++;
  }
  const missing = at < filters.length ? ` (${described(filters[at] ?? {})} did not come next)` : '';
  return {
    pass: at === filters.length,
    wanted: `${filters.map(described).join(', then ')} to be handled${missing}`,
    found: handled.map(lineOf),
    expected: filters,
  };
}

/** There is a dead letter of the kind. */
export function deadLettered(t: Checked, filter: LetterFilter = {}): Verdict {
  const letters = t.bus.deadLetters.list();
  return {
    pass: t.bus.deadLetters.list(filter).length > 0,
    wanted: `a dead letter${Object.keys(filter).length === 0 ? '' : ` with ${show(filter)}`}`,
    found: letters.map(showLetter),
    expected: filter,
  };
}

/** The promises of the library hold. */
export function conserved(t: Checked): Verdict {
  const found = t.invariants.violations();
  return {
    pass: found.length === 0,
    wanted: 'every message in exactly one state, with one outcome, in order',
    found,
    expected: [],
  };
}

/** Nothing goes on. */
export function idle(t: Checked): Verdict {
  const found = t.pendingWork();
  return { pass: found.length === 0, wanted: 'no pending work', found, expected: [] };
}

/** The text of a check that did not come out as it should. */
export function textOf({ wanted, found }: Verdict, negated = false): string {
  const lines = found.length === 0 ? ' nothing' : found.map((line) => `\n  ${line}`).join('');
  return `Expected ${negated ? 'not ' : ''}${wanted}. There was:${lines}`;
}

interface Handled {
  readonly entry: RunEntry;
  readonly payload: unknown;
}

/** What was handled so far, with what it said. */
function handledBy(t: Checked): Handled[] {
  const payloads = new Map<string | undefined, unknown>();
  const handled: Handled[] = [];
  for (const entry of t.recorded()) {
    if (entry.what === 'admitted') payloads.set(entry.id, entry.payload);
    if (entry.what === 'handled') handled.push({ entry, payload: payloads.get(entry.id) });
  }
  return handled;
}

function fitting(filter: string | DeliveryFilter): (one: Handled) => boolean {
  const { to, ...rest } =
    typeof filter === 'string' ? (filterOf(filter) as DeliveryFilter) : filter;
  const fits = testOf(rest);
  return ({ entry: { topic = '', type = '', from = '', to: got }, payload }) =>
    (to === undefined || got?.includes(to) === true) && fits({ topic, type, from, payload });
}

function described(filter: string | DeliveryFilter): string {
  if (typeof filter === 'string') return describeFilter(filter);
  const { to, ...rest } = filter;
  return to === undefined ? describeFilter(rest) : `${describeFilter(rest)} to ${to}`;
}

function lineOf({ entry: { id, type, topic, from, to }, payload }: Handled): string {
  return `${id} ${type} ${topic} from ${from} to ${to?.join(', ')} with ${show(payload)}`;
}
