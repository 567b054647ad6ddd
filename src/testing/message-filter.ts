import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Message } from '../message/message.ts';
import { compilePattern } from '../message/pattern.ts';

/** Which messages: every field narrows. */
export interface MessageFilter<P extends string = string> {
  /** A pattern over the topic, as for `subscribe`. */
  readonly topic?: P;
  readonly type?: string;
  /** An agent's name, or `$host`. */
  readonly from?: string;
  /** What the payload has at least: objects may have more fields, all else is equal. */
  readonly payload?: unknown;
}

/** Whether a message is one of those that a filter means. */
export type MessageTest = (
  message: Pick<Message, 'topic' | 'type' | 'from'> & { readonly payload?: unknown },
) => boolean;

/**
 * @throws InvalidPatternError `TELLASK_INVALID_PATTERN`
 */
export function testOf(filter: string | MessageFilter): MessageTest {
  const { topic, type, from, payload } = filterOf(filter);
  const pattern = topic === undefined ? undefined : compilePattern(topic);
  return (message) =>
    pattern?.matches(message.topic) !== false &&
    (type === undefined || message.type === type) &&
    (from === undefined || message.from === from) &&
    (payload === undefined || hasAtLeast(message.payload, payload));
}

const FIELDS: ReadonlySet<string> = new Set<keyof MessageFilter>([
  'topic',
  'type',
  'from',
  'payload',
]);

/** A pattern alone is a filter, too. A mistyped field would fit all messages. */
export function filterOf(filter: string | MessageFilter): MessageFilter {
  if (typeof filter === 'string') return { topic: filter };
  if (typeof filter !== 'object' || filter === null) {
    throw misuse('The filter', 'a pattern or an object', filter);
  }
  refuseUnknown(filter, FIELDS, 'The filter of messages');
  return filter;
}

/** `report.* from writer with {"id":7}`: a filter in the report of a failed test. */
export function describeFilter(filter: string | MessageFilter): string {
  const { topic, type, from, payload } = filterOf(filter);
  const parts = [
    ...(type === undefined ? [] : [type]),
    topic ?? 'anything',
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(payload === undefined ? [] : [`with ${show(payload)}`]),
  ];
  return parts.join(' ');
}

/** `m3 event report.7.drafted from writer`: what came instead. */
export function describeMessage({ id, type, topic, from }: Message): string {
  return `${id} ${type} ${topic} from ${from}`;
}

/** The same with what it says. */
export function showMessage(message: Message): string {
  return `${describeMessage(message)} with ${show(message.payload)}`;
}

/** Whether `value` is `wanted`, objects in it with more fields at most. */
export function hasAtLeast(value: unknown, wanted: unknown): boolean {
  if (Object.is(value, wanted)) return true;
  if (typeof value !== 'object' || typeof wanted !== 'object') return false;
  if (value === null || wanted === null) return false;
  if (Array.isArray(wanted)) {
    if (!Array.isArray(value) || value.length !== wanted.length) return false;
    return wanted.every((one, index) => hasAtLeast(value[index], one));
  }
  if (wanted instanceof Date) return value instanceof Date && +value === +wanted;
  return Object.keys(wanted).every(
    (key) =>
      Object.hasOwn(value, key) &&
      hasAtLeast((value as Record<string, unknown>)[key], (wanted as Record<string, unknown>)[key]),
  );
}

/** A value in the report of a failed test. */
export function show(value: unknown): string {
  try {
    const text = JSON.stringify(value) ?? String(value);
    return text.length <= 200 ? text : `${text.slice(0, 199)}…`;
  } catch {
    return 'what JSON cannot show';
  }
}
