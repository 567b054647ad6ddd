/** The promise of a thenable; one that throws when it is asked for its promise is a rejected one. */
export function promiseOf(value: PromiseLike<unknown>): Promise<unknown> {
  try {
    return Promise.resolve(value);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Whether a value is a promise of any make. A `then` that throws when looked at makes none. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return false;
  }
}
