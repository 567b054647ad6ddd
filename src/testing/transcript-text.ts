import { createRedactor, escapeText, type Redactor } from '../observe/redaction.ts';
import type { RunEntry } from './run-entry.ts';

/** Options of `TestBus.transcript`. */
export interface TranscriptOptions {
  /** Shows what was said, without the values of secret keys. @default false */
  readonly payloads?: boolean;
  /** What hides secrets. @default that of `createRedactor()` */
  readonly redact?: Redactor;
  /** Deliveries whose lines are marked with `!`: those whose order decided a run. */
  readonly marked?: readonly MarkedDelivery[];
}

/** A delivery, by the message and by who gets it. */
export interface MarkedDelivery {
  readonly id: string;
  /** @default every recipient */
  readonly recipient?: string;
}

/**
 * What happened, a line each. No column is as wide as its widest line: one more message changes one
 * line of a snapshot and not all.
 */
export function transcriptText(
  entries: readonly RunEntry[],
  options: TranscriptOptions = {},
): string {
  const { payloads = false, redact = createRedactor(), marked = [] } = options;
  const lines = entries.map((entry) => {
    const mark = isMarked(entry, marked) ? '!' : ' ';
    const shown = payloads && entry.what === 'admitted' ? payloadOf(entry.payload, redact) : '';
    return `${mark}${lineOf(entry)}${shown}\n`;
  });
  return lines.join('');
}

function isMarked({ what, id, to }: RunEntry, marked: readonly MarkedDelivery[]): boolean {
  if (what === 'admitted') return false;
  return marked.some(
    (one) => one.id === id && (one.recipient === undefined || to?.includes(one.recipient)),
  );
}

function lineOf(entry: RunEntry): string {
  const because = entry.causedBy === undefined ? '' : `, caused by ${entry.causedBy}`;
  const id = escapeText(entry.id ?? '-').padEnd(4);
  return `${timeOf(entry.atMs)}  ${id}  ${factOf(entry)}${because}`;
}

/** What happened, without when and under which id. */
export function factOf(entry: RunEntry): string {
  const said = entry.what === 'note' ? (entry.text ?? '') : outcomeOf(entry);
  const parts = [whoOf(entry), entry.topic ?? '', said];
  return parts
    .filter((part) => part !== '')
    .map(escapeText)
    .join('  ');
}

/** To the microsecond: a delay that chance drew has more digits than a reader needs. */
function timeOf(atMs: number): string {
  return `${String(Math.round(atMs * 1_000) / 1_000).padStart(6)} ms`;
}

function whoOf({ from, to }: RunEntry): string {
  if (to === undefined) return from ?? '';
  return `${from} -> ${to.length === 0 ? 'nobody' : to.join(', ')}`;
}

function outcomeOf(entry: RunEntry): string {
  const { what, type, reason, attempt, delayMs } = entry;
  if (what === 'admitted') return `admitted ${type}`;
  if (what === 'started') return attempt === undefined ? 'started' : `started, attempt ${attempt}`;
  if (what === 'handled') return type === 'request' ? 'handled, replied' : 'handled';
  if (what === 'retry') return `retry in ${timeOf(delayMs ?? 0).trim()} (${reason})`;
  return reason === undefined ? what : `${what} (${reason})`;
}

function payloadOf(payload: unknown, redact: Redactor): string {
  if (payload === undefined) return '';
  try {
    return `  ${escapeText(JSON.stringify(redact(payload)) ?? '-')}`;
  } catch {
    return '  [unreadable]';
  }
}
