import { MAX_LENGTH, MAX_SEGMENTS } from '../src/message/alphabet.ts';
import { MAX_ALTERNATIVES } from '../src/message/pattern-range.ts';
import { toRetryPolicy } from '../src/resilience/backoff.ts';
import { CIRCUIT_DEFAULTS } from '../src/resilience/circuit-options.ts';
import { BUDGET_DEFAULTS } from '../src/resilience/retry-budget.ts';
import { STATE_DEFAULTS } from '../src/state/state-defaults.ts';
import { DEFAULTS } from '../src/wiring/bus-options.ts';

type Described = readonly [option: string, meaning: string];

/** Every default is described: a new one that is not here does not compile. */
const MEANINGS: Readonly<Record<keyof typeof DEFAULTS, Described>> = {
  concurrency: ['`register`, `bus.subscribe`: `concurrency`', 'handlers that run at a time'],
  capacity: ['`register`, `bus.subscribe`: `capacity`', 'places of a mailbox'],
  overflow: ['`register`, `bus.subscribe`: `overflow`', 'what a full mailbox does'],
  ageingLimit: ['`register`, `bus.subscribe`: `ageingLimit`', 'takes that may pass the oldest'],
  onHang: ['`register`, `bus.subscribe`: `onHang`', 'what becomes of a hung handler’s slot'],
  busy: ['`subscribe`, `serve`: `busy`', 'what comes while its key is at work'],
  handlerTimeoutMs: [
    'bus: `handlerTimeoutMs`',
    'how long a handler may run; asked, its asker’s rest',
  ],
  graceMs: ['bus: `graceMs`', 'from a handler’s time-out to its fence'],
  requestTimeoutMs: ['bus: `requestTimeoutMs`', 'how long `request` waits'],
  streamIdleTimeoutMs: ['`stream`: `idleTimeoutMs`', 'without a chunk, or without a reader'],
  retryRatio: [
    'bus: `retryBudget.ratio`',
    'retries by a `policy`, for each request to a responder',
  ],
  retryMinPerSecond: ['bus: `retryBudget.minPerSecond`', 'retries that are allowed in any case'],
  highWaterMark: ['`stream`: `highWaterMark`', 'chunks that are unread at most'],
  priority: ['`publish`, `send`: `priority`', '0 to 10; a request inherits its asker’s'],
  batchMax: ['`subscribeBatch`, `serveBatch`: `batch.max`', 'messages in a batch at most'],
  batchWaitMs: ['`subscribeBatch`, `serveBatch`: `batch.waitMs`', 'how long the first waits'],
  dedupeWindowMs: ['bus: `dedupe.windowMs`', 'how long a `dedupeKey` is known'],
  dedupeMaxKeys: ['bus: `dedupe.maxKeys`', 'keys that are known at most'],
  maxLetters: ['bus: `deadLetters.maxLetters`', 'letters kept, in all and of one reason'],
  maxLetterBytes: ['bus: `deadLetters.maxBytes`', 'bytes of letters kept, estimated'],
  maxRedrives: [
    'bus: `deadLetters.maxRedrives`',
    'after so many a letter that dies is quarantined',
  ],
  letterRetentionMs: ['bus: `deadLetters.retentionMs`', 'letters kept after their death'],
  letterStoreTimeoutMs: ['bus: `deadLetters.storeTimeoutMs`', 'a call of the store of letters'],
  maxDepth: ['bus: `guard.maxDepth`', 'requests that wait inside each other'],
  maxHops: ['bus: `guard.maxHops`', 'messages that cause each other'],
  maxRepeats: ['bus: `guard.maxRepeats`', 'of the same (from, to, topic) in a chain of causes'],
  repeatWindowMs: ['bus: `guard.repeatWindowMs`', 'in which they are counted'],
  maxRetained: ['bus: `maxRetained`', 'topics that keep a last value'],
  maxCachedTopics: ['bus: `maxCachedTopics`', 'topics with a ready dispatch list'],
  maxMetricLabels: ['bus: `maxMetricLabels`', 'families, and pairs, counted apart'],
  maxPayloadDepth: ['bus: `maxPayloadDepth`', 'levels of a payload'],
  closeTimeoutMs: ['`close`: `timeoutMs`', 'draining, before the rest is cancelled'],
  drainTimeoutMs: ['`drain`: `timeoutMs`', 'until `drain` resolves with `false`'],
  isolation: ['bus: `isolation`', 'payloads are copied and frozen once'],
  unheard: ['bus: `unheard`', 'of a publish that nobody hears; a test bus has `warn`'],
};

/** Writes docs/defaults.md from the values that the code uses. */
export function defaultsPage(): string {
  const keys = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[];
  const rows = keys.map((key) => row(...MEANINGS[key], DEFAULTS[key]));
  return [
    '# Defaults',
    '',
    'Written by `npm run docs:update` from `src/wiring/bus-options.ts`; a test compares them. `0` means',
    'zero, and unlimited is spelled `Infinity`. Durations are milliseconds.',
    '',
    ...table(rows),
    '',
    '## Retry of a handler',
    '',
    'None without `retry`. What `retry: {}` leaves out:',
    '',
    ...table(retryRows()),
    '',
    '## Policies',
    '',
    'Values of their own, used without a bus too. `retry` has the options above, without `order`.',
    '',
    ...table(policyRows()),
    '',
    '## State',
    '',
    'Of `new StateManager` and what is done with it.',
    '',
    ...table(stateRows()),
    '',
    '## Bounds that are no options',
    '',
    ...table(boundRows()),
    '',
  ].join('\n');
}

function retryRows(): string[] {
  const { maxAttempts, baseMs, factor, maxMs, jitter } = toRetryPolicy({});
  return [
    row('`maxAttempts`', 'calls in all', maxAttempts),
    row('`baseMs`', 'the first delay', baseMs),
    row('`factor`', 'what each delay is multiplied by', factor),
    row('`maxMs`', 'the longest delay', maxMs),
    row('`jitter`', 'how chance spreads the delays', jitter),
    row('`order`', 'back in line, the agent is free', 'requeue'),
    row('beside it: `outbox`', 'what is told waits for success; without retry `false`', true),
  ];
}

function policyRows(): string[] {
  const { ratio, minPerSecond, ttlMs } = BUDGET_DEFAULTS;
  return [
    row('`timeout`: `mode`', 'whether late work is waited for', 'aggressive'),
    row('`retryBudget`: `ratio`', 'retries for each first call', ratio),
    row('`retryBudget`: `minPerSecond`', 'retries in any case', minPerSecond),
    row('`retryBudget`: `ttlMs`', 'for how long calls and retries count', ttlMs),
    ...circuitRows(),
  ];
}

function circuitRows(): string[] {
  const d = CIRCUIT_DEFAULTS;
  const of = (option: string): string => `\`circuitBreaker\`: \`${option}\``;
  return [
    row(of('failures'), 'failures in a row that open it', d.failures),
    row(of('openMs'), 'how long it stays open', d.openMs),
    row(of('permits'), 'probes at a time while half open', d.permits),
    row(of('probeLeaseMs'), 'how long a probe keeps others waiting', d.probeLeaseMs),
    row(of('forgetMs'), 'silence after which failures are forgotten', d.forgetMs),
    row(of('openFactor'), 'how the open time grows with failed probes', d.openFactor),
    row(of('maxOpenMs'), 'the longest open time', d.maxOpenMs),
    row(of('openJitter'), 'share of the open time that chance adds', d.openJitter),
    row(of('maxCircuits'), 'circuits of keys that are kept', d.maxCircuits),
    row(of('window.failureRate'), 'share of failures that opens it', d.failureRate),
    row(of('window.minimumCalls'), 'calls before anything is concluded', d.minimumCalls),
  ];
}

function stateRows(): string[] {
  const d = STATE_DEFAULTS;
  return [
    row('`history.maxVersions`', 'versions of one key, the current one included', d.maxVersions),
    row('`history.maxBytes`', 'bytes of all that is past', d.maxHistoryBytes),
    row('`maxValueBytes`', 'bytes of one value, as JSON', d.maxValueBytes),
    row('`maxDepth`', 'levels of a value', d.maxDepth),
    row('`transaction`: `retries`', 'runs after the first', d.retries),
    row('`lock`, `withLock`, `lockAll`: `timeoutMs`', 'how long they wait', d.lockTimeoutMs),
    row('`lock`, `withLock`, `lockAll`: `leaseMs`', 'until it is taken away', d.leaseMs),
    row('`watch`: `buffer`', 'unread versions that are kept', d.watchBuffer),
  ];
}

function boundRows(): string[] {
  return [
    row('topic, pattern', 'characters', MAX_LENGTH),
    row('topic, pattern', 'segments', MAX_SEGMENTS),
    row('pattern', 'alternatives of its braces', MAX_ALTERNATIVES),
  ];
}

function table(rows: readonly string[]): string[] {
  return ['| where | what | default |', '|---|---|---|', ...rows];
}

function row(where: string, what: string, value: string | number | boolean): string {
  // 10_000 is easier to read, and can be pasted.
  const plain = value.toLocaleString('en').replaceAll(',', '_');
  const shown = typeof value === 'string' ? `'${value}'` : plain;
  return `| ${where} | ${what} | \`${shown}\` |`;
}
