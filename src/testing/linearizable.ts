/** One operation of a client, as it was recorded. */
export interface RecordedOperation<Input = unknown, Output = unknown> {
  readonly client: string;
  /** Operations on different keys have nothing to do with each other. @default one key for all */
  readonly key?: string;
  readonly input: Input;
  /** What it gave back; not looked at while `returnedAt` is Infinity. */
  readonly output: Output;
  /** Any clock that counts up: of two operations one came first if it returned before the other was called. */
  readonly calledAt: number;
  /** `Infinity` for one that never returned: it may have had its effect, or not. */
  readonly returnedAt: number;
}

/** What the operations do when they come one after the other. */
export interface SequentialModel<State, Input = unknown, Output = unknown> {
  /** The state at the beginning of a key. */
  initial(key: string): State;
  /**
   * The state after the operation; `undefined` when it cannot give this output here. `output` is
   * undefined for an operation that never returned, which may give any.
   */
  step(
    state: State,
    input: Input,
    output: Output | undefined,
    returned: boolean,
  ): { readonly state: State } | undefined;
  /** Tells states apart. @default JSON.stringify */
  identify?(state: State): string;
}

/** What {@link checkLinearizable} found. */
export type Linearizability<Input = unknown, Output = unknown> =
  | { readonly linearizable: true }
  | {
      readonly linearizable: false;
      readonly key: string;
      /** The longest order of the beginning that makes sense. */
      readonly prefix: readonly RecordedOperation<Input, Output>[];
      /** The first to return that fits nowhere behind it. */
      readonly stuck: RecordedOperation<Input, Output>;
    };

/**
 * Tells whether a history of concurrent operations looks as if each had happened at one instant
 * between its call and its return, key by key.
 *
 * The search is that of Wing and Gong (1993) with the memory of Lowe (2017): exponential at worst
 * in how many operations overlap, and not in how long the history is.
 *
 * @example
 * ```ts
 * import { checkLinearizable } from 'tellask/testing';
 * const register = {
 *   initial: () => 0,
 *   step: (state: number, input: number | 'read', output: unknown) => {
 *     if (input !== 'read') return { state: input };
 *     return output === state ? { state } : undefined;
 *   },
 * };
 * const stale = [
 *   { client: 'a', input: 1, output: undefined, calledAt: 0, returnedAt: 1 },
 *   { client: 'b', input: 'read' as const, output: 0, calledAt: 2, returnedAt: 3 },
 * ];
 * checkLinearizable(stale, register).linearizable; // => false
 * ```
 */
export function checkLinearizable<State, Input, Output>(
  history: readonly RecordedOperation<Input, Output>[],
  model: SequentialModel<State, Input, Output>,
): Linearizability<Input, Output> {
  const byKey = new Map<string, RecordedOperation<Input, Output>[]>();
  for (const operation of history) {
    checkTimes(operation);
    const { key = '' } = operation;
    byKey.set(key, [...(byKey.get(key) ?? []), operation]);
  }
  for (const [key, operations] of byKey) {
    const failure = new Search(key, operations, model).run();
    if (failure !== undefined) return { linearizable: false, key, ...failure };
  }
  return { linearizable: true };
}

function checkTimes({ client, calledAt, returnedAt }: RecordedOperation): void {
  if (calledAt <= returnedAt) return;
  throw new RangeError(`An operation of ${client} returned at ${returnedAt}, before ${calledAt}`);
}

/** A call or a return, in the order of time; calls are taken out and put back as the search goes. */
interface Moment<Operation> {
  readonly operation: Operation;
  readonly index: number;
  /** The return of a call; undefined for a return. */
  end: Moment<Operation> | undefined;
  before: Moment<Operation> | undefined;
  next: Moment<Operation> | undefined;
}

class Search<State, Input, Output> {
  readonly #model: SequentialModel<State, Input, Output>;
  readonly #head: Moment<RecordedOperation<Input, Output>>;
  readonly #placed: { call: Moment<RecordedOperation<Input, Output>>; state: State }[] = [];
  /** Which operations were placed, as bits, with the state that this led to. */
  readonly #seen = new Set<string>();
  #bits = 0n;
  #state: State;
  #longest: RecordedOperation<Input, Output>[] = [];

  constructor(
    key: string,
    operations: readonly RecordedOperation<Input, Output>[],
    model: SequentialModel<State, Input, Output>,
  ) {
    this.#model = model;
    this.#state = model.initial(key);
    this.#head = linked(operations);
  }

  run():
    | { prefix: RecordedOperation<Input, Output>[]; stuck: RecordedOperation<Input, Output> }
    | undefined {
    let moment = this.#head.next;
    let stuck = moment?.operation;
    while (this.#head.next !== undefined && moment !== undefined) {
      if (moment.end === undefined) {
        // Nothing that was called before this return can come next: one that was placed is wrong.
        if (this.#placed.length >= this.#longest.length) {
          this.#longest = this.#placed.map(({ call }) => call.operation);
          stuck = moment.operation;
        }
        moment = this.#takeBack();
      } else moment = this.#place(moment) ? this.#head.next : moment.next;
    }
    if (this.#head.next === undefined || stuck === undefined) return undefined;
    return { prefix: this.#longest, stuck };
  }

  /** Puts a call next in the order, if it can be and was not tried before. */
  #place(call: Moment<RecordedOperation<Input, Output>>): boolean {
    const { input, output, returnedAt } = call.operation;
    const returned = returnedAt !== Infinity;
    const after = this.#model.step(this.#state, input, returned ? output : undefined, returned);
    if (after === undefined) return false;
    const bits = this.#bits | (1n << BigInt(call.index));
    const place = `${bits}:${this.#model.identify?.(after.state) ?? JSON.stringify(after.state)}`;
    if (this.#seen.has(place)) return false;
    this.#seen.add(place);
    this.#placed.push({ call, state: this.#state });
    this.#bits = bits;
    this.#state = after.state;
    takeOut(call);
    takeOut(call.end as Moment<RecordedOperation<Input, Output>>);
    return true;
  }

  /** Undoes the last placing; the search goes on behind it. */
  #takeBack(): Moment<RecordedOperation<Input, Output>> | undefined {
    const last = this.#placed.pop();
    if (last === undefined) return undefined;
    const { call, state } = last;
    this.#state = state;
    this.#bits &= ~(1n << BigInt(call.index));
    putBack(call.end as Moment<RecordedOperation<Input, Output>>);
    putBack(call);
    return call.next;
  }
}

function linked<Operation extends RecordedOperation>(
  operations: readonly Operation[],
): Moment<Operation> {
  const moments = operations.flatMap((operation, index) => {
    const end: Moment<Operation> = {
      operation,
      index,
      end: undefined,
      before: undefined,
      next: undefined,
    };
    const call: Moment<Operation> = { ...end, end };
    return [
      { at: operation.calledAt, isCall: true, moment: call },
      { at: operation.returnedAt, isCall: false, moment: end },
    ];
  });
  // Of a call and a return at one instant the call is first: then the two overlap.
  moments.sort((a, b) => (a.at === b.at ? Number(b.isCall) - Number(a.isCall) : a.at - b.at));
  const head: Moment<Operation> = { ...(moments[0]?.moment as Moment<Operation>), end: undefined };
  let last = head;
  for (const { moment } of moments) {
    last.next = moment;
    moment.before = last;
    last = moment;
  }
  return head;
}

function takeOut<Operation>(moment: Moment<Operation>): void {
  const { before, next } = moment;
  if (before !== undefined) before.next = next;
  if (next !== undefined) next.before = before;
}

function putBack<Operation>(moment: Moment<Operation>): void {
  const { before, next } = moment;
  if (before !== undefined) before.next = moment;
  if (next !== undefined) next.before = moment;
}
