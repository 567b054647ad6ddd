import { Envelope, type FamilyView, type Origin } from '../message/envelope.ts';
import { createRedactor, hasSecrets } from '../observe/redaction.ts';
import type { DeadLetter } from './dead-letters.ts';
import { KeptLetter, type LostSubscription } from './kept-letter.ts';

/** What is done with the values of secret keys before a letter is stored. */
export type LetterSecrets = 'redact' | 'keep';

/** What reading a record needs of its bus. */
export interface RecordParts {
  readonly origin: Origin;
  familyOf(section: 'topics' | 'requests', topic: string): FamilyView | undefined;
  takeIn(payload: unknown): unknown;
}

interface LetterRecord {
  readonly format: 1;
  readonly letter: Omit<DeadLetter, 'message' | 'saved'>;
  readonly message: {
    readonly id: string;
    readonly seq: number;
    readonly type: string;
    readonly topic: string;
    readonly from: string;
    readonly to?: string;
    readonly payload?: unknown;
    readonly priority: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly correlationId: string;
    readonly causationId?: string;
    readonly hops: number;
    readonly sentAt: number;
    /** Milliseconds; none for ever. */
    readonly ttlMs?: number;
  };
  readonly action: KeptLetter['action'];
  readonly subscription?: {
    readonly owner: string;
    readonly kind: string;
    readonly pattern: string;
  };
  readonly redacted: boolean;
}

const redact = createRedactor();

/** A letter as text for a store; undefined when its payload would come back as something else. */
export function toRecord(letter: KeptLetter, secrets: LetterSecrets): string | undefined {
  const { message, subscription, action } = letter;
  if (!isJson(message.payload, 0)) return undefined;
  const { payload, headers } = message;
  const redacted =
    letter.redacted || (secrets === 'redact' && (hasSecrets(payload) || hasSecrets(headers)));
  const record = {
    format: 1,
    letter: { ...letter, message: undefined },
    message: {
      ...message.toJSON(),
      params: undefined,
      family: undefined,
      expiresAt: undefined,
      payload: redacted ? redact(payload) : payload,
      headers: redacted ? redact(headers) : headers,
      hops: message.lineage?.hops ?? 0,
      ttlMs: letter.ttlMs === Infinity ? undefined : letter.ttlMs,
    },
    action,
    subscription: subscription && {
      owner: subscription.owner,
      kind: subscription.kind,
      pattern: subscription.pattern.source,
    },
    redacted,
  };
  return JSON.stringify(record);
}

/** The letter of a record that another process may have written; undefined when it is none. */
export function fromRecord(text: string, id: string, parts: RecordParts): KeptLetter | undefined {
  try {
    const record = JSON.parse(text) as LetterRecord;
    return isRecord(record) && record.letter.id === id ? revive(record, parts) : undefined;
  } catch {
    return undefined;
  }
}

function revive(record: LetterRecord, parts: RecordParts): KeptLetter {
  const { letter, action, subscription, redacted } = record;
  const lost: LostSubscription | undefined = subscription && {
    active: false,
    owner: subscription.owner,
    kind: subscription.kind,
    pattern: { source: subscription.pattern },
  };
  const message = reviveMessage(record, parts);
  const facts = {
    ...letter,
    message,
    recipient: letter.recipient,
    subscriber: letter.subscriber,
    error: letter.error,
    history: Object.freeze(letter.history.map((death) => Object.freeze(death))),
  };
  return new KeptLetter(facts, { subscription: lost, action, redacted });
}

function reviveMessage({ message, action }: LetterRecord, parts: RecordParts): Envelope {
  const { id, seq, topic, headers } = message;
  const at = message.sentAt - parts.origin.wallAtZero;
  const origin = {
    idPrefix: id.slice(0, id.length - String(seq).length),
    wallAtZero: parts.origin.wallAtZero,
  };
  const lineage = {
    correlationId: message.correlationId,
    causationId: message.causationId,
    deadline: Infinity,
    depth: 0,
    hops: message.hops,
    budget: undefined,
    retries: 0,
  };
  return new Envelope(
    origin,
    seq,
    message.type,
    topic,
    parts.familyOf(action === 'request' ? 'requests' : 'topics', topic),
    message.from,
    message.to,
    parts.takeIn(message.payload),
    message.priority,
    Object.freeze({ ...headers }),
    lineage,
    { at },
    message.ttlMs === undefined ? undefined : at + message.ttlMs,
  );
}

const ACTIONS: readonly unknown[] = ['publish', 'send', 'request'];

/** Who wrote it may have been another version, or a hand. */
function isRecord({ format, letter, message, action, subscription }: LetterRecord): boolean {
  const texts = [letter.id, letter.originalId, letter.reason, message.id, message.type];
  texts.push(message.topic, message.from, message.correlationId);
  const numbers = [letter.attempts, letter.firstFailedAt, letter.lastFailedAt, message.seq];
  numbers.push(letter.redriveCount, message.priority, message.sentAt, message.hops);
  return (
    format === 1 &&
    ACTIONS.includes(action) &&
    texts.every((text) => typeof text === 'string') &&
    numbers.every((number) => Number.isFinite(number)) &&
    message.id.endsWith(String(message.seq)) &&
    Array.isArray(letter.history) &&
    letter.refused === (subscription === undefined) &&
    (subscription === undefined || typeof subscription.pattern === 'string')
  );
}

const MAX_DEPTH = 100;

/** Whether JSON gives it back as it is; properties that are undefined may be left out. */
function isJson(value: unknown, depth: number): boolean {
  if (value === null || value === undefined) return value === null || depth === 0;
  if (typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) return Array.from(value).every((part) => isJson(part, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return false;
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return false;
  const parts: unknown[] = Object.values(value);
  return parts.every((part) => part === undefined || isJson(part, depth + 1));
}
