import { onAbort } from '../kernel/abort.ts';
import { Cancellation } from '../kernel/cancellation.ts';
import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import type { StateCore } from './core.ts';
import { type StateConflictError, StateTimeoutError } from './errors.ts';
import { Gate } from './gate.ts';
import type { Holder } from './holder.ts';
import { Staging, type StateGround } from './staging.ts';
import { STATE_DEFAULTS } from './state-defaults.ts';
import type { StateView } from './state-view.ts';
import { laterTurn, nextTurn } from './turn.ts';

/** Options of `transaction`. */
export interface TransactionOptions {
  /** How often it is run again when somebody else was faster. @default 3 */
  readonly retries?: number;
  /** Milliseconds that all runs together may take. @default Infinity */
  readonly timeoutMs?: number;
  /** Calls it off: nothing is written, and the transaction rejects with the reason. */
  readonly signal?: AbortSignal;
}

/** Says what a transaction has to say: checked when it is called, said by what it gives back. */
export interface StateVoice {
  /** Throws what `publish` would throw. What it gives back never throws. */
  publish(topic: string, payload: unknown, options: object | undefined): () => void;
  /** Throws what `send` would throw. What it gives back never throws. */
  send(to: string, topic: string, payload: unknown, options: object | undefined): () => void;
}

/** Who runs a transaction, and where. */
export interface TransactionParts<C extends ContractShape> {
  readonly core: StateCore;
  readonly holder: Holder;
  /** The operations of the holder on another ground. */
  readonly open: (ground: StateGround) => StateView<C>;
}

/**
 * The state as one run of a transaction sees it: as it is, with what the run has written itself.
 * What it saw stays true for as long as it runs: the first step after somebody else has changed it
 * throws, and the transaction is run again.
 */
export class StateTransaction<C extends ContractShape = AnyContract> {
  /** What is at a key, own writes included. */
  readonly get: StateView<C>['get'];
  /** Whether there is a value, own writes included. */
  readonly has: StateView<C>['has'];
  /** What is at all keys that fit, own writes included. */
  readonly list: StateView<C>['list'];
  /** As on a view; written with the commit. */
  readonly create: StateView<C>['create'];
  /** As on a view; written with the commit. */
  readonly set: StateView<C>['set'];
  /** As on a view; written with the commit. */
  readonly compareAndSet: StateView<C>['compareAndSet'];
  /** As on a view; written with the commit. */
  readonly update: StateView<C>['update'];
  /** As on a view; written with the commit. */
  readonly delete: StateView<C>['delete'];
  readonly #staging: Staging;
  readonly #voice: StateVoice | undefined;
  readonly #cancellation: Cancellation;

  /** @internal */
  constructor(staging: Staging, { holder, open }: TransactionParts<C>, cancellation: Cancellation) {
    const view = open(staging);
    this.get = view.get.bind(view) as StateView<C>['get'];
    this.has = view.has.bind(view) as StateView<C>['has'];
    this.list = view.list.bind(view);
    this.create = view.create.bind(view) as StateView<C>['create'];
    this.set = view.set.bind(view) as StateView<C>['set'];
    this.compareAndSet = view.compareAndSet.bind(view) as StateView<C>['compareAndSet'];
    this.update = view.update.bind(view) as StateView<C>['update'];
    this.delete = view.delete.bind(view) as StateView<C>['delete'];
    this.#staging = staging;
    this.#voice = holder.voice;
    this.#cancellation = cancellation;
  }

  /** Aborts when the transaction is called off, has no time left, or the state is closed. */
  get signal(): AbortSignal {
    return this.#cancellation.signal;
  }

  /** Publishes once the transaction has committed, and only then. Checked at once. */
  publish(topic: string, payload: unknown, options?: object): void {
    this.#staging.check();
    this.#staging.later(this.#speaker().publish(topic, payload, options));
  }

  /** Sends once the transaction has committed, and only then. Checked at once. */
  send(to: string, topic: string, payload: unknown, options?: object): void {
    this.#staging.check();
    this.#staging.later(this.#speaker().send(to, topic, payload, options));
  }

  #speaker(): StateVoice {
    if (this.#voice !== undefined) return this.#voice;
    throw new TypeError('This state belongs to no bus, so a transaction of it can say nothing');
  }
}

const OPTIONS: ReadonlySet<string> = new Set<keyof TransactionOptions>([
  'retries',
  'timeoutMs',
  'signal',
]);

/** Runs `fn` until nobody else was faster, and makes what it wrote true in one commit. */
export async function transact<C extends ContractShape, T>(
  parts: TransactionParts<C>,
  fn: (tx: StateTransaction<C>) => T | Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  if (typeof fn !== 'function') throw misuse('The argument of transaction', 'a function', fn);
  const { retries, timeoutMs, signal } = readOptions(options);
  const limit = new TimeLimit(parts.core, timeoutMs, signal);
  try {
    for (let left = retries; ; left--) {
      const run = new Run(parts, limit.cancellation);
      const done = await run.attempt(fn);
      if (!('conflict' in done)) return done.result;
      if (left === 0) throw done.conflict;
      await again(parts.core.env);
    }
  } finally {
    limit.close();
  }
}

/** One that is in its own way for ever still lets others run, and its time-out end it. */
function again(env: Env): Promise<void> {
  return new Promise((resolve) => laterTurn(env, 'transaction retry', resolve));
}

function readOptions(options: TransactionOptions) {
  refuseUnknown(options, OPTIONS, 'transaction');
  const { retries = STATE_DEFAULTS.retries, timeoutMs = Infinity, signal } = options;
  readCount('retries', retries, 0);
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
    throw misuse('timeoutMs', 'a number of milliseconds from 0', timeoutMs);
  }
  return { retries, timeoutMs, signal };
}

/** What calls a transaction off: its caller, the clock, or the end of the state. */
class TimeLimit {
  readonly cancellation = new Cancellation();
  readonly #offs: (() => void)[] = [];

  constructor(core: StateCore, timeoutMs: number, signal: AbortSignal | undefined) {
    const { env } = core;
    const { cancellation } = this;
    this.#offs.push(core.onSeal((reason) => cancellation.abort(reason)));
    if (signal !== undefined) {
      this.#offs.push(onAbort(signal, (reason) => cancellation.abort(reason)));
    }
    if (timeoutMs === Infinity || cancellation.aborted) return;
    const late = (): void => cancellation.abort(new StateTimeoutError(timeoutMs));
    const options = { keepAlive: true, label: 'transaction time-out' };
    const timer = env.setTimer(timeoutMs, late, options);
    this.#offs.push(() => timer.cancel());
  }

  close(): void {
    for (const off of this.#offs) off();
  }
}

type Done<T> = { readonly result: T } | { readonly conflict: StateConflictError };

/** One run of a transaction. */
class Run<C extends ContractShape> {
  readonly #parts: TransactionParts<C>;
  readonly #staging: Staging;
  readonly #cancellation: Cancellation;

  constructor(parts: TransactionParts<C>, cancellation: Cancellation) {
    this.#parts = parts;
    const gate = new Gate(parts.core, parts.holder);
    this.#staging = new Staging(parts.core, (key) => gate.sees(key));
    this.#cancellation = cancellation;
  }

  async attempt<T>(fn: (tx: StateTransaction<C>) => T | Promise<T>): Promise<Done<T>> {
    const staging = this.#staging;
    try {
      this.#parts.holder.author();
      const tx = new StateTransaction(staging, this.#parts, this.#cancellation);
      const result = await this.#unlessCalledOff(async () => fn(tx));
      await this.#unlessCalledOff(() => this.#turn());
      staging.finish(this.#parts.holder.author());
      return { result };
    } catch (error) {
      const { conflict } = staging;
      if (conflict === undefined || this.#cancellation.aborted) throw error;
      return { conflict };
    } finally {
      staging.end();
    }
  }

  #turn(): Promise<void> {
    const { env } = this.#parts.core;
    return new Promise((resolve) => nextTurn(env, 'transaction commit', resolve));
  }

  /** What the work gives, unless the transaction is called off before. */
  #unlessCalledOff<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const off = this.#cancellation.onAbort(reject);
      if (this.#cancellation.aborted) return;
      work().then(resolve, reject).finally(off);
    });
  }
}
