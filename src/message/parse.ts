import { describe, TellaskError } from '../kernel/errors.ts';
import { withoutValues } from './issue-text.ts';
import { pointerTo } from './json-pointer.ts';
import type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.ts';

/** More issues than this help nobody, and a hostile payload could make any number. */
const MAX_ISSUES = 20;
const MAX_SHOWN = 3;
const MAX_PATH = 256;

/** One finding of a schema, without the value it is about. */
export interface ValidationIssue {
  /** Where, as a JSON pointer: `/hits/0/url`; the empty string is the whole value. */
  readonly path: string;
  readonly message: string;
}

/** A value does not fit its schema (`TELLASK_VALIDATION`). Says where and why, never the value. */
export class ValidationError extends TellaskError {
  readonly topic: string;
  /** What was checked: `payload`, `input`, `output` or `chunk`. */
  readonly what: string;
  /** The first 20 findings. */
  readonly issues: readonly ValidationIssue[];

  constructor(
    subject: ParseSubject,
    issues: readonly ValidationIssue[],
    options?: { readonly cause?: unknown },
  ) {
    super('TELLASK_VALIDATION', summary(subject, issues), options);
    this.topic = subject.topic;
    this.what = subject.what;
    this.issues = issues;
  }
}

/** What is parsed, for the words of the errors. */
export interface ParseSubject {
  readonly what: string;
  readonly topic: string;
}

/**
 * The value as its schema gives it back: parsed, with defaults and transformations.
 *
 * @throws ValidationError (`TELLASK_VALIDATION`) when the value does not fit or the schema throws.
 * @throws TypeError when the schema answers with a promise: admission is synchronous.
 */
export function parse<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  subject: ParseSubject,
): Output {
  const result = validate(schema, value, subject);
  if ('then' in result) throw refusePromise(result, subject);
  if (result.issues === undefined) return result.value;
  throw new ValidationError(subject, readIssues(result.issues, value));
}

function validate<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  subject: ParseSubject,
): SchemaResult<Output> | Promise<SchemaResult<Output>> {
  try {
    const result = schema['~standard'].validate(value);
    if (typeof result === 'object' && result !== null) return result;
    throw new TypeError(`the schema answered with ${describe(result)}`);
  } catch (cause) {
    throw new ValidationError(subject, [{ path: '', message: 'the schema threw' }], { cause });
  }
}

function refusePromise(result: Promise<unknown>, { what, topic }: ParseSubject): TypeError {
  // Nobody will wait for it, and a rejection that nobody hears would end the process.
  result.catch(() => {});
  return new TypeError(
    `The schema for the ${what} of '${topic}' answered with a promise, but admission is ` +
      'synchronous: check asynchronously in the handler, or before you publish',
  );
}

function readIssues(issues: readonly SchemaIssue[], value: unknown): readonly ValidationIssue[] {
  return issues.slice(0, MAX_ISSUES).map((issue) => {
    const keys = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
    return {
      path: pointerTo(keys).slice(0, MAX_PATH),
      message: withoutValues(String(issue.message), value, keys),
    };
  });
}

function summary({ what, topic }: ParseSubject, issues: readonly ValidationIssue[]): string {
  const shown = issues.slice(0, MAX_SHOWN).map(({ path, message }) => `${path}: ${message}`);
  const more = issues.length - shown.length;
  const text = shown.map((line) => line.replace(/^: /, '')).join('; ');
  return `The ${what} of '${topic}' does not fit: ${text}${more > 0 ? `; and ${more} more` : ''}`;
}
