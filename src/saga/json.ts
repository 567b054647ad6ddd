import { describe } from '../kernel/errors.ts';
import { escapeKey } from '../message/json-pointer.ts';
import { isForeignPlain } from '../message/payload.ts';
import { SagaDataError } from './errors.ts';
import type { Json } from './journal.ts';

const MAX_DEPTH = 100;

/**
 * Takes what a saga is given as JSON: a frozen copy, the same that comes back from the store, so
 * that a resumed step sees what the first one saw. Properties that are `undefined` are left out.
 *
 * @throws SagaDataError `TELLASK_SAGA_DATA`
 */
export function takeJson(value: unknown, of: string): Json | undefined {
  if (value === undefined) return undefined;
  try {
    return taken(value, '', 0);
  } catch (error) {
    if (error instanceof NotJson) throw new SagaDataError(of, error.path, error.problem);
    throw new SagaDataError(of, '', 'it cannot be read');
  }
}

/** Freezes JSON that was parsed. */
export function freezeJson<T extends Json | undefined>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) freezeJson(part as Json);
  return Object.freeze(value);
}

class NotJson {
  readonly path: string;
  readonly problem: string;

  constructor(path: string, problem: string) {
    this.path = path;
    this.problem = problem;
  }
}

function taken(value: unknown, path: string, depth: number): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  // JSON has no negative zero.
  if (typeof value === 'number' && Number.isFinite(value)) return value + 0;
  if (typeof value !== 'object') throw new NotJson(path, describe(value));
  if (depth >= MAX_DEPTH) throw new NotJson(path, `it is deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return takenArray(value, path, depth);
  return takenObject(value, path, depth);
}

function takenArray(array: readonly unknown[], path: string, depth: number): Json {
  // `from` reads holes as undefined, which is refused.
  return Object.freeze(Array.from(array, (part, at) => taken(part, `${path}/${at}`, depth + 1)));
}

function takenObject(value: object, path: string, depth: number): Json {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype && !isForeignPlain(prototype)) {
    throw new NotJson(path, `an object of class ${classOf(value)}`);
  }
  const copy: Record<string, Json> = {};
  for (const [key, part] of Object.entries(value)) {
    if (part === undefined) continue;
    const json = taken(part, `${path}/${escapeKey(key)}`, depth + 1);
    // `__proto__` is a property like any other.
    Object.defineProperty(copy, key, { value: json, enumerable: true });
  }
  return Object.freeze(copy);
}

function classOf(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'its own';
}
