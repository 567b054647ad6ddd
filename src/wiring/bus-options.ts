import { checkPermissions, type PermissionOptions } from '../delivery/authority.ts';
import { type GuardLimits, type GuardOptions, readGuard } from '../delivery/guard.ts';
import type { MailboxChoice } from '../delivery/handler-options.ts';
import type { LetterSecrets } from '../delivery/letter-record.ts';
import type { Isolation } from '../delivery/payload-keeper.ts';
import { checkNames } from '../delivery/question.ts';
import { readMs } from '../delivery/said.ts';
import { checkSelection, type Selection } from '../delivery/selection.ts';
import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { Contract } from '../message/contract.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import type { Logger } from '../observe/logger.ts';
import { type RetryBudgetOptions, retryBudget } from '../resilience/retry-budget.ts';
import type { StateManager } from '../state/state-manager.ts';
import type { Store } from '../stores/store.ts';

/** What becomes of a publish that nobody hears; it is counted in any case. */
export type Unheard = 'count' | 'warn' | 'dead-letter';

/** How dead letters are kept. */
export interface DeadLetterOptions {
  /** @default 10_000 */
  readonly maxLetters?: number;
  /** Estimated bytes of payloads and errors. @default 16_777_216 */
  readonly maxBytes?: number;
  /** Letters of one reason. @default maxLetters */
  readonly maxPerReason?: number;
  /** A letter that dies again after so many redrives is quarantined. @default 3 */
  readonly maxRedrives?: number;
  /** How long a letter is kept after its death, in milliseconds. @default 604_800_000, 7 days */
  readonly retentionMs?: number;
  /** Where letters outlive the process; `load` brings them back. @default memory alone */
  readonly store?: Store;
  /** Buses with one name share the letters of a store. @default 'default' */
  readonly name?: string;
  /**
   * `redact` replaces the values of secret keys in what is stored, and another process cannot
   * redrive such a letter; `keep` stores all as it is. @default 'redact'
   */
  readonly secrets?: LetterSecrets;
  /** How long a call of the store may take, in milliseconds. @default 10_000 */
  readonly storeTimeoutMs?: number;
}

/** Options of `new MessageBus`. */
export interface BusOptions<C extends ContractShape = AnyContract> {
  /** What may be said, with schemas and types. @default any topic, payloads unknown */
  readonly contract?: C;
  /**
   * The shared state, which the bus does not close. Without a contract of its own it takes that of
   * the bus. @default none
   */
  // biome-ignore lint/suspicious/noExplicitAny: a state of any contract, which no type but any says
  readonly state?: StateManager<any>;
  /** Takes topics that the contract does not name. @default false */
  readonly open?: boolean;
  /** How payloads are kept apart. @default 'own' */
  readonly isolation?: Isolation;
  /** Levels of arrays and objects inside each other that a payload may have. @default 100 */
  readonly maxPayloadDepth?: number;
  /** @default 'count' */
  readonly unheard?: Unheard;
  /** Where the library and `context.log` write. @default nowhere */
  readonly logger?: Logger;
  /** Hears, once each, what user code broke: listeners, taps, schemas, loggers, key functions. */
  readonly onFault?: (error: unknown, where: string) => void;
  /** Defaults of `register` and `bus.subscribe`. */
  readonly mailbox?: Partial<MailboxChoice>;
  /** How long a handler may run, in milliseconds. @default 300_000 */
  readonly handlerTimeoutMs?: number;
  /** How long it may go on after that before it is fenced, in milliseconds. @default 1_000 */
  readonly graceMs?: number;
  /** How long `request` and `gather` wait, in milliseconds. @default 30_000 */
  readonly requestTimeoutMs?: number;
  /**
   * Who is asked instead when an agent that was asked has failed: `{ athena: ['dionysus'] }`. The
   * `fallback` of a call is used in its place.
   */
  readonly fallback?: Readonly<Record<string, readonly string[]>>;
  /**
   * Which of those who could answer is asked, for all calls that bring no `select` of their own: a
   * strategy of `tellask/agents`. @default the one with the fewest outstanding deliveries
   */
  readonly select?: Selection;
  /**
   * How many of the requests to one responder may be retries by a `policy`, as in `retryBudget`.
   * @default { ratio: 0.1, minPerSecond: 1 }
   */
  readonly retryBudget?: Omit<RetryBudgetOptions, 'env'> | false;
  /**
   * Who may publish, send, request, serve, subscribe, tap, and read or write which key of the state.
   * The host is bound only by rules that name `$host`. @default everybody may do everything
   */
  readonly permissions?: PermissionOptions;
  readonly dedupe?: { readonly windowMs?: number; readonly maxKeys?: number };
  /** How dead letters are kept. */
  readonly deadLetters?: DeadLetterOptions;
  /** What stops conversations that go round in circles, and who says too much. */
  readonly guard?: GuardOptions;
  /** How many topics keep a last value. @default 1_000 */
  readonly maxRetained?: number;
  /** How many topics keep their dispatch list ready. @default 10_000 */
  readonly maxCachedTopics?: number;
  /** How many labels of topic families, and of pairs of agents, metrics keep. @default 1_000 */
  readonly maxMetricLabels?: number;
  /**
   * Lets what is said on the bus or on a handle inside of a running handler inherit as if it were
   * said on its context; `from` stays the name of the handle. It costs every handler a little.
   * @default false
   */
  readonly ambientContext?: boolean;
  /** Time, order, chance and names. @default the real ones */
  readonly env?: Env;
}

/** Every default of the library, in one place: `docs/defaults.md` is generated from it. */
export const DEFAULTS = {
  concurrency: 1,
  capacity: 10_000,
  overflow: 'reject',
  ageingLimit: 16,
  onHang: 'release',
  busy: 'queue',
  handlerTimeoutMs: 300_000,
  graceMs: 1_000,
  requestTimeoutMs: 30_000,
  streamIdleTimeoutMs: 30_000,
  retryRatio: 0.1,
  retryMinPerSecond: 1,
  highWaterMark: 16,
  priority: 5,
  batchMax: 100,
  batchWaitMs: 50,
  dedupeWindowMs: 300_000,
  dedupeMaxKeys: 10_000,
  maxLetters: 10_000,
  maxLetterBytes: 16_777_216,
  maxRedrives: 3,
  letterRetentionMs: 604_800_000,
  letterStoreTimeoutMs: 10_000,
  maxDepth: 32,
  maxHops: 1_000,
  maxRepeats: 100,
  repeatWindowMs: 60_000,
  maxRetained: 1_000,
  maxCachedTopics: 10_000,
  maxMetricLabels: 1_000,
  maxPayloadDepth: 100,
  closeTimeoutMs: 5_000,
  drainTimeoutMs: 30_000,
  isolation: 'own',
  unheard: 'count',
} as const;

/** The default mailbox, as far as the bus does not say otherwise. */
export const MAILBOX_DEFAULTS: MailboxChoice = {
  concurrency: DEFAULTS.concurrency,
  capacity: DEFAULTS.capacity,
  overflow: DEFAULTS.overflow,
  ageingLimit: DEFAULTS.ageingLimit,
  onHang: DEFAULTS.onHang,
};

/** The guards, as far as the bus does not say otherwise. */
export const GUARD_DEFAULTS: GuardLimits = {
  maxDepth: DEFAULTS.maxDepth,
  maxHops: DEFAULTS.maxHops,
  maxRepeats: DEFAULTS.maxRepeats,
  repeatWindowMs: DEFAULTS.repeatWindowMs,
};

const ISOLATIONS: readonly unknown[] = ['own', 'clone', 'share'];
const UNHEARD: readonly unknown[] = ['count', 'warn', 'dead-letter'];

/** Their names. */
export const BUS_OPTIONS: ReadonlySet<string> = new Set<keyof BusOptions>([
  'contract',
  'open',
  'state',
  'isolation',
  'maxPayloadDepth',
  'unheard',
  'logger',
  'onFault',
  'mailbox',
  'handlerTimeoutMs',
  'graceMs',
  'requestTimeoutMs',
  'fallback',
  'select',
  'retryBudget',
  'permissions',
  'dedupe',
  'deadLetters',
  'guard',
  'maxRetained',
  'maxCachedTopics',
  'maxMetricLabels',
  'ambientContext',
  'env',
]);

/** Refuses options of the bus that make no sense, before anything is built on them. */
export function checkBusOptions(options: BusOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw misuse('The options of MessageBus', 'an object', options);
  }
  refuseUnknown(options, BUS_OPTIONS, 'MessageBus');
  const { isolation = 'own', unheard = 'count', onFault, contract } = options;
  if (!ISOLATIONS.includes(isolation)) throw misuse('isolation', ISOLATIONS.join(', '), isolation);
  if (!UNHEARD.includes(unheard)) throw misuse('unheard', UNHEARD.join(', '), unheard);
  if (contract !== undefined && !((contract as unknown) instanceof Contract)) {
    throw misuse('contract', 'what defineContract returned', contract);
  }
  // The class itself is not asked: a bus without a state would have to load it.
  if (options.state !== undefined && typeof options.state?.attach !== 'function') {
    throw misuse('state', 'a StateManager', options.state);
  }
  if (options.ambientContext !== undefined && typeof options.ambientContext !== 'boolean') {
    throw misuse('ambientContext', 'true or false', options.ambientContext);
  }
  if (onFault !== undefined && typeof onFault !== 'function') {
    throw misuse('onFault', 'a function', onFault);
  }
  for (const name of ['handlerTimeoutMs', 'graceMs', 'requestTimeoutMs'] as const) {
    readMs(name, options[name]);
  }
  readFallbacks(options.fallback);
  checkSelection(options.select);
  readRetryBudget(options.retryBudget);
  if (options.permissions !== undefined) checkPermissions(options.permissions);
  readGuard(options.guard, GUARD_DEFAULTS);
  readMs('dedupe.windowMs', options.dedupe?.windowMs);
  readCounts('dedupe', options.dedupe, ['maxKeys']);
  checkLetterOptions(options.deadLetters);
  for (const name of [
    'maxPayloadDepth',
    'maxRetained',
    'maxCachedTopics',
    'maxMetricLabels',
  ] as const) {
    if (options[name] !== undefined) readCount(name, options[name], 0);
  }
}

const LETTER_COUNTS = ['maxLetters', 'maxBytes', 'maxPerReason', 'maxRedrives'] as const;
const LETTER_OPTIONS: ReadonlySet<string> = new Set<keyof DeadLetterOptions>([
  ...LETTER_COUNTS,
  'retentionMs',
  'store',
  'name',
  'secrets',
  'storeTimeoutMs',
]);

function checkLetterOptions(options: DeadLetterOptions = {}): void {
  if (typeof options !== 'object' || options === null) {
    throw misuse('deadLetters', 'an object', options);
  }
  refuseUnknown(options, LETTER_OPTIONS, 'deadLetters');
  readCounts('deadLetters', { ...options }, LETTER_COUNTS);
  readMs('deadLetters.retentionMs', options.retentionMs);
  readMs('deadLetters.storeTimeoutMs', options.storeTimeoutMs);
  const { store, name = 'default', secrets = 'redact' } = options;
  if (store !== undefined) checkLetterStore(store);
  if (typeof name !== 'string' || !/^[\w.-]{1,128}$/.test(name)) {
    throw misuse('deadLetters.name', '1 to 128 letters, digits, dots, dashes', name);
  }
  if (secrets !== 'redact' && secrets !== 'keep') {
    throw misuse('deadLetters.secrets', "'redact' or 'keep'", secrets);
  }
}

function checkLetterStore(store: Partial<Store>): void {
  const calls = [store?.scan, store?.commit];
  if (calls.some((call) => typeof call !== 'function')) {
    throw misuse('deadLetters.store', 'a Store', store);
  }
}

/** Who is asked for whom; undefined when nobody is. */
export function readFallbacks(
  fallback: BusOptions['fallback'],
): ReadonlyMap<string, readonly string[]> | undefined {
  if (fallback === undefined) return undefined;
  if (typeof fallback !== 'object' || fallback === null || Array.isArray(fallback)) {
    throw misuse('fallback', 'an object of lists of names', fallback);
  }
  const entries = Object.entries(fallback);
  for (const [name, others] of entries) checkNames(`fallback.${name}`, others);
  return new Map(entries.map(([name, others]) => [name, [...others]]));
}

/** The bounds of retries; undefined when there are none. */
export function readRetryBudget(
  given: BusOptions['retryBudget'] = {},
): RetryBudgetOptions | undefined {
  if (given === false) return undefined;
  if (typeof given !== 'object' || given === null) {
    throw misuse('retryBudget', 'an object of options or false', given);
  }
  const { retryRatio: ratio, retryMinPerSecond: minPerSecond } = DEFAULTS;
  const options = { ratio, minPerSecond, ...given };
  retryBudget(options);
  return options;
}

function readCounts(
  group: string,
  options: Readonly<Record<string, unknown>> | undefined,
  names: readonly string[],
): void {
  for (const name of names) {
    if (options?.[name] !== undefined) readCount(`${group}.${name}`, options[name], 0);
  }
}
