import { describe } from './errors.ts';

const MAX_CAUSES = 8;
const MAX_MESSAGE = 1_000;
const MAX_NAME = 100;

/** An error as plain data, safe to keep and to send: how errors cross boundaries. */
export interface ErrorRecord {
  readonly name: string;
  /** At most 1 000 characters. */
  readonly message: string;
  readonly code?: string;
  /** Whether the same call may succeed later. False for an error that does not say. */
  readonly retryable: boolean;
  /** What led to it: its `cause`, or the errors of an AggregateError. At most 8 in the whole record. */
  readonly cause: readonly ErrorRecord[];
}

/**
 * Makes a record of anything that was thrown. Survives cycles, hostile getters and values that are
 * no errors.
 */
export function toErrorRecord(error: unknown): ErrorRecord {
  return record(error, { seen: new Set(), causesLeft: MAX_CAUSES });
}

interface Bounds {
  readonly seen: Set<unknown>;
  causesLeft: number;
}

function record(error: unknown, bounds: Bounds): ErrorRecord {
  if (!isObject(error)) return primitive(error);
  bounds.seen.add(error);
  const code = text(read(error, 'code'), MAX_NAME);
  return {
    name: text(read(error, 'name'), MAX_NAME) ?? 'Error',
    message: text(read(error, 'message'), MAX_MESSAGE) ?? 'Thrown: an object',
    ...(code === undefined ? {} : { code }),
    retryable: read(error, 'retryable') === true,
    cause: causesOf(error, bounds),
  };
}

function causesOf(error: object, bounds: Bounds): ErrorRecord[] {
  const causes: ErrorRecord[] = [];
  for (const cause of directCauses(error)) {
    if (bounds.causesLeft === 0) break;
    if (bounds.seen.has(cause)) continue;
    bounds.causesLeft -= 1;
    causes.push(record(cause, bounds));
  }
  return causes;
}

function directCauses(error: object): unknown[] {
  const causes = [read(error, 'cause')];
  const several = read(error, 'name') === 'AggregateError' ? read(error, 'errors') : undefined;
  for (let i = 0; isObject(several) && i < MAX_CAUSES; i += 1) causes.push(read(several, i));
  return causes.filter((cause) => cause !== undefined);
}

/** What a getter or a proxy throws is no news about the error. */
function read(from: object, key: PropertyKey): unknown {
  try {
    return Reflect.get(from, key);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function primitive(thrown: unknown): ErrorRecord {
  const message = text(thrown, MAX_MESSAGE) ?? `Thrown: ${describe(thrown)}`;
  return { name: 'Error', message, retryable: false, cause: [] };
}

function text(value: unknown, limit: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  return value.length <= limit ? value : `${value.slice(0, limit - 1)}…`;
}
