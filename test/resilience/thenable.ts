type Settle = (value: never) => void;

/** A promise of another make, which is no more than its `then`. */
export function thenable(then: (resolve: Settle, reject: Settle) => unknown): PromiseLike<never> {
  return Object.defineProperty({}, 'then', { value: then }) as PromiseLike<never>;
}
