import type { Voice } from '../delivery/context.ts';
import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import type { Work } from '../resilience/policy.ts';
import { Chunks, type Items } from './chunks.ts';
import { type CancelledTask, type FailedTask, WorkflowTimeoutError } from './errors.ts';
import { Join, type JoinMode, readMode } from './join.ts';
import { Scope } from './scope.ts';
import { BoundWork, type WorkContext } from './work-context.ts';
import {
  checkWorkflowOptions,
  WORKFLOW_OPTIONS,
  type WorkflowOptions,
} from './workflow-options.ts';

/** Options of `mapReduce`. `M` is what `map` gets: an item, or a chunk of them. */
export interface MapReduceOptions<M, R, T, V extends object = object> extends WorkflowOptions<V> {
  /** Called for each item; with `chunkSize` for each list of so many. */
  readonly map: (input: M, work: WorkContext<V>) => R | PromiseLike<R>;
  /** Called once with what `map` gave, in the order of the items. */
  readonly reduce: (values: readonly R[], work: WorkContext<V>) => T | PromiseLike<T>;
  /** Calls of `map` that run at a time; at most one more is read ahead. @default 8 */
  readonly concurrency?: number;
  /**
   * `all` maps every item and rejects if one did not succeed; `first-error` rejects at once and
   * calls the others off; `settle` reduces what succeeded. @default 'all'
   */
  readonly mode?: JoinMode;
}

/** Gives `map` lists of items. */
export interface Chunked {
  /** Items in a list; the last may have fewer. 1 or more. */
  readonly chunkSize: number;
}

/** Gives `map` one item at a time. */
export interface Unchunked {
  readonly chunkSize?: never;
}

/** What `mapReduce` resolves with in the mode `settle`. */
export interface MapReduced<I, T> {
  /** What `reduce` made of what succeeded; `undefined` when all was withdrawn. */
  readonly value: T | undefined;
  /** `task` is the index of the item or chunk, or `'items'` when the source of them failed. */
  readonly failed: readonly (FailedTask & { readonly items: readonly I[] })[];
  /** What was called off, or not begun. Of a source without length: what was read of it. */
  readonly cancelled: readonly (CancelledTask & { readonly items: readonly I[] })[];
  /** `all` were mapped; `timeout`; `withdrawn` by the caller's signal or the end of the handler. */
  readonly reason: 'all' | 'timeout' | 'withdrawn';
}

interface Settle {
  readonly mode: 'settle';
}

const OPTIONS: Record<keyof MapReduceOptions<unknown, unknown, unknown> | 'chunkSize', true> = {
  ...WORKFLOW_OPTIONS,
  map: true,
  reduce: true,
  chunkSize: true,
  concurrency: true,
  mode: true,
};
const KNOWN: ReadonlySet<string> = new Set(Object.keys(OPTIONS));

/**
 * Maps many items, some at a time, and makes one value of the results. The items may come from
 * anything that can be iterated: no more is read than is worked on, and one ahead.
 *
 * Rejects with WorkflowError `TELLASK_WORKFLOW` (`ok` by index), WorkflowTimeoutError
 * `TELLASK_TIMEOUT`, the reason of `signal`, or with what `reduce` throws. With `mode: 'settle'` no
 * failure of `map` rejects, and `timeoutMs` is the time for mapping: what has come is then reduced.
 * It never throws.
 *
 * @example
 * ```ts
 * import { mapReduce, MessageBus } from 'tellask';
 * const bus = new MessageBus();
 * bus.register('reader', { concurrency: 2 }).serve('words', ({ payload }) =>
 *   String(payload).split(' ').length,
 * );
 * const words = await mapReduce(['a cup of tea', 'two cups'], {
 *   map: (page, work) => work.request('words', page),
 *   reduce: (counts) => counts.reduce((sum: number, count) => sum + Number(count), 0),
 *   as: bus,
 * });
 * words; // => 6
 * ```
 */
export function mapReduce<I, R, T, V extends object = object>(
  items: Items<I>,
  options: MapReduceOptions<I, R, T, V> & Settle & Unchunked,
): Promise<MapReduced<I, T>>;
export function mapReduce<I, R, T, V extends object = object>(
  items: Items<I>,
  options: MapReduceOptions<readonly I[], R, T, V> & Settle & Chunked,
): Promise<MapReduced<I, T>>;
export function mapReduce<I, R, T, V extends object = object>(
  items: Items<I>,
  options: MapReduceOptions<I, R, T, V> & Unchunked,
): Promise<T>;
export function mapReduce<I, R, T, V extends object = object>(
  items: Items<I>,
  options: MapReduceOptions<readonly I[], R, T, V> & Chunked,
): Promise<T>;
export async function mapReduce(items: Items<unknown>, given: unknown): Promise<unknown> {
  const options = given as Options;
  checkOptions(items, options);
  const mapping = new Mapping(items, options);
  return options.mode === 'settle' ? mapping.settle() : mapping.all();
}

type Options = MapReduceOptions<unknown, unknown, unknown> & { readonly chunkSize?: number };

/** One run. */
class Mapping {
  readonly #options: Options;
  readonly #name: string;
  readonly #chunks: Chunks<unknown>;
  readonly #scope: Scope;
  readonly #join: Join<string | number>;

  constructor(items: Items<unknown>, options: Options) {
    const { name = 'mapReduce', mode = 'all', concurrency = 8, chunkSize = 1 } = options;
    const { policy, onProgress } = options;
    this.#options = options;
    this.#name = name;
    this.#chunks = new Chunks(items, chunkSize);
    this.#scope = new Scope(options);
    this.#join = new Join(this.#scope, {
      name,
      mode,
      concurrency,
      rest: () => this.#chunks.rest(),
      ...(policy === undefined ? {} : { policy }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    this.#join.total = this.#chunks.total;
    this.#join.begin();
    void this.#feed(concurrency + 1);
  }

  async all(): Promise<unknown> {
    const ending = await this.#join.ended;
    this.#chunks.close();
    const { failed, cancelled } = this.#join;
    if (failed.length > 0 || cancelled.length > 0 || ending.reason !== 'all') {
      throw this.#join.errorOf(ending);
    }
    return this.#reduce(new Scope(this.#options, this.#scope));
  }

  async settle(): Promise<MapReduced<unknown, unknown>> {
    const { reason } = await this.#join.ended;
    this.#chunks.close();
    // Every task was declared with its items.
    const { failed, cancelled } = this.#join as unknown as MapReduced<unknown, unknown>;
    const result = { value: undefined, failed, cancelled, reason: reason as 'all' | 'timeout' };
    if (reason === 'withdrawn') return { ...result, reason };
    const scope = new Scope({ ...this.#options, timeoutMs: Infinity });
    try {
      return { ...result, value: await this.#reduce(scope) };
    } catch (error) {
      if (scope.call.aborted) return { ...result, reason: 'withdrawn' };
      throw error;
    }
  }

  /** Never rejects. It may wait for its source for ever, which nobody waits for then. */
  async #feed(mostOpen: number): Promise<void> {
    const [join, chunks] = [this.#join, this.#chunks];
    try {
      for (;;) {
        await join.fewerThan(mostOpen);
        if (join.over || !(await chunks.fill())) break;
        const { index, items } = chunks.take();
        join.declare(index, { items });
        join.start(index, this.#mapper(items));
      }
    } catch (error) {
      join.fail('items', error, { items: chunks.take().items });
    }
    join.seal();
  }

  #mapper(items: readonly unknown[]): Work<unknown> {
    const { map, chunkSize } = this.#options;
    const input = chunkSize === undefined ? items[0] : items;
    return (execution) => map(input, this.#bound(this.#scope, execution));
  }

  async #reduce(scope: Scope): Promise<unknown> {
    const { policy, reduce } = this.#options;
    const byIndex = [...this.#join.values].sort(([a], [b]) => Number(a) - Number(b));
    const values = byIndex.map(([, value]) => value);
    const terms = { name: this.#name, mode: 'all', concurrency: 1 } as const;
    const join = new Join<'reduce'>(scope, policy === undefined ? terms : { ...terms, policy });
    join.declare('reduce');
    join.begin();
    join.start('reduce', (execution) => reduce(values, this.#bound(scope, execution)));
    join.seal();
    const ending = await join.ended;
    if (ending.reason === 'timeout') {
      throw new WorkflowTimeoutError(this.#name, scope.timeoutMs, ['reduce'], this.#join);
    }
    if (ending.reason === 'withdrawn') throw ending.error;
    for (const { error } of join.failed) throw error;
    for (const { reason } of join.cancelled) throw reason;
    return join.values.get('reduce');
  }

  #bound(scope: Scope, execution: ConstructorParameters<typeof BoundWork>[2]): BoundWork {
    return new BoundWork(scope.env, this.#options.as as Voice | undefined, execution);
  }
}

function checkOptions(items: unknown, options: Options): void {
  checkWorkflowOptions('mapReduce', options, KNOWN);
  const { map, reduce, mode, concurrency, chunkSize } = options;
  if (!isIterable(items)) throw misuse('The items of mapReduce', 'something to iterate', items);
  if (typeof map !== 'function') throw misuse('map', 'a function', map);
  if (typeof reduce !== 'function') throw misuse('reduce', 'a function', reduce);
  readMode(mode);
  if (concurrency !== undefined) readCount('concurrency', concurrency, 1);
  if (chunkSize !== undefined) readCount('chunkSize', chunkSize, 1);
}

function isIterable(items: unknown): boolean {
  if (typeof items !== 'object' || items === null) return false;
  return Symbol.iterator in items || Symbol.asyncIterator in items;
}
