import { misuse } from '../kernel/errors.ts';
import { createRedactor, hasSecrets, type Redactor } from '../observe/redaction.ts';
import { RUN_EVENTS, type RunEntry } from './run-entry.ts';

/** Counts up when a reader of the older form would misread the newer. */
const VERSION = 1;

/** Options of {@link writeCassette}. */
export interface CassetteOptions {
  /** What hides secrets; `false` for nothing. @default that of `createRedactor()` */
  readonly redact?: Redactor | false;
}

/**
 * Writes down a run as JSON lines, fit for a file: a header with the version of the form, then one
 * thing that happened a line. Values of secret keys are hidden, and what is no JSON is left out;
 * such a message is marked `altered`, and `replayRun` refuses to say it again.
 *
 * @example
 * ```ts
 * import { createTestBus, readCassette, writeCassette } from 'tellask/testing';
 * const t = createTestBus();
 * t.bus.subscribe('alarm', () => {});
 * t.bus.publish('alarm', { room: 7 });
 * await t.settle();
 * const text = writeCassette(t.recorded());
 * text.split('\n')[0]; // => '{"cassette":1}'
 * readCassette(text).map(({ what }) => what); // => ['admitted', 'started', 'handled']
 * ```
 */
export function writeCassette(entries: readonly RunEntry[], options: CassetteOptions = {}): string {
  const { redact = createRedactor() } = options;
  const lines = [{ cassette: VERSION }, ...entries.map((entry) => fitForFile(entry, redact))];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/**
 * Reads what `writeCassette` wrote.
 *
 * @throws TypeError that names the line, for anything else.
 */
export function readCassette(text: string): RunEntry[] {
  if (typeof text !== 'string') throw misuse('text', 'a string', text);
  const [header, ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  const { cassette } = parse(header ?? '', 1) as { readonly cassette?: unknown };
  if (cassette !== VERSION) throw misuse('"cassette" of line 1', String(VERSION), cassette);
  return lines.map((line, index) => entryOf(parse(line, index + 2), index + 2));
}

function parse(line: string, number: number): object {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new TypeError(`Line ${number} of the cassette must be a JSON object`);
}

function entryOf(value: object, number: number): RunEntry {
  const { what, atMs } = value as { readonly what?: unknown; readonly atMs?: unknown };
  if (!RUN_EVENTS.some((known) => known === what)) {
    throw misuse(`"what" of line ${number}`, 'a word of a transcript', what);
  }
  if (typeof atMs !== 'number') throw misuse(`"atMs" of line ${number}`, 'a number', atMs);
  return value as RunEntry;
}

function fitForFile(entry: RunEntry, redact: Redactor | false): RunEntry {
  if (entry.what !== 'admitted' || entry.payload === undefined) return entry;
  const { payload, altered } = jsonOf(entry.payload);
  const hides = redact !== false && hasSecrets(payload);
  if (!hides) return { ...entry, payload, ...(altered ? { altered } : {}) };
  return { ...entry, payload: redact(payload), altered: true };
}

function jsonOf(payload: unknown): { payload: unknown; altered: boolean } {
  try {
    const json: unknown = JSON.parse(JSON.stringify(payload) ?? 'null');
    return { payload: json, altered: !isJson(payload) };
  } catch {
    return { payload: null, altered: true };
  }
}

/** Whether JSON gives back the same; that a field is undefined is nothing to speak of. */
function isJson(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  if (typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return false;
  return Object.values(value).every((part) => part === undefined || isJson(part));
}
