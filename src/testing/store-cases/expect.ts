import { isTellaskError } from '../../kernel/errors.ts';
import type { Store, Write } from '../../stores/store.ts';

/** A write of any version, or of the one that is given. */
export function put(key: string, value: string, expectedVersion?: number): Write {
  return expectedVersion === undefined ? { key, value } : { key, value, expectedVersion };
}

/** A delete of any version, or of the one that is given. */
export function remove(key: string, expectedVersion?: number): Write {
  const value = undefined;
  return expectedVersion === undefined ? { key, value } : { key, value, expectedVersion };
}

/** Fails with what was expected and what came, unless both are the same data. */
export function expectSame(actual: unknown, expected: unknown, what: string): void {
  const [came, wanted] = [textOf(actual), textOf(expected)];
  if (came !== wanted) throw new Error(`${what}: expected ${wanted}, but it is ${came}`);
}

export function expectThat(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** JSON, cut short: what is wrong with a long value stands at its beginning. */
function textOf(value: unknown): string {
  const text = JSON.stringify(value, inOrder) ?? 'undefined';
  return text.length <= 2_000 ? text : `${text.slice(0, 2_000)}… (${text.length} characters)`;
}

/** In which order an object has its fields is nobody's business. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The value of a key, or undefined. */
export async function valueAt(store: Store, key: string): Promise<string | undefined> {
  return (await store.get(key))?.value;
}

/** The version of a key, 0 for none. */
export async function versionAt(store: Store, key: string): Promise<number> {
  return (await store.get(key))?.version ?? 0;
}

/** Everything in a store, as `key=value`. */
export async function contentOf(store: Store, prefix = ''): Promise<string[]> {
  return (await store.scan(prefix)).map(({ key, value }) => `${key}=${value}`);
}

/** What a promise rejected with; fails when it did not. */
export async function rejectionOf(promise: Promise<unknown>, what: string): Promise<unknown> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (outcome === undefined) throw new Error(`${what}: it should have been refused`);
  return outcome.error;
}

/** Fails unless it rejects with a conflict. */
export async function expectConflict(promise: Promise<unknown>, what: string): Promise<void> {
  const error = await rejectionOf(promise, what);
  if (isTellaskError(error, 'TELLASK_STORE_CONFLICT')) return;
  throw new Error(`${what}: expected a StoreConflictError, but it is ${String(error)}`);
}
