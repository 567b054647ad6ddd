import { misuse } from '../kernel/errors.ts';
import { printAsJson } from '../kernel/inspection.ts';
import type { Admitter } from './admitter.ts';
import { checkCallOptions } from './call-options.ts';
import type { Receipt, Settled } from './receipt.ts';
import type { BroadcastOptions, Recipients, Speaker } from './speech.ts';

/** Somebody to whom a broadcast was to go: with his receipt, or with the error that refused it. */
export type BroadcastRecipient =
  | { readonly to: string; readonly receipt: Receipt; readonly error?: undefined }
  | { readonly to: string; readonly receipt?: undefined; readonly error: unknown };

/** What became of one message of a broadcast. */
export interface BroadcastOutcome {
  readonly to: string;
  /** `unsent`: it was delayed or held, and taken back or refused when it was to leave. */
  readonly outcome: 'handled' | 'dead-lettered' | 'expired' | 'cancelled' | 'refused' | 'unsent';
  /** Id of the letter of a dead-lettered one. */
  readonly letterId?: string;
  /** Why it was refused. */
  readonly error?: unknown;
}

/** What `broadcast` returns at once. Not thenable: nothing is awaited by mistake. */
export interface BroadcastReceipt {
  /** One for each, in the order in which they were named or registered. */
  readonly recipients: readonly BroadcastRecipient[];
  /** Resolves when every message has its outcome, in the same order. Never rejects. */
  readonly settled: Promise<readonly BroadcastOutcome[]>;
}

/** What sending to many needs of its bus. */
export interface BroadcastParts {
  readonly admitter: Admitter;
  namesWith(capability: string): readonly string[];
}

/** Sends one message to each of many. The refusal of one does not touch the others. */
export class Broadcast {
  readonly #parts: BroadcastParts;

  constructor(parts: BroadcastParts) {
    this.#parts = parts;
  }

  broadcast(
    speaker: Speaker,
    to: Recipients,
    topic: string,
    payload: unknown,
    options: BroadcastOptions = {},
  ): BroadcastReceipt {
    if (typeof options !== 'object' || options === null) {
      throw misuse('The options of broadcast', 'an object', options);
    }
    // Before anything is sent: a mistyped `exclude` would tell those who must not hear it.
    checkCallOptions('broadcast', options);
    const { exclude, echo = false, ...each } = options;
    const names = this.#namesOf(to, readNames('exclude', exclude), echo ? undefined : speaker.name);
    const send = this.#parts.admitter.sender(speaker, topic, payload, each);
    return new Broadcasting(names.map((name) => attempt(name, send)));
  }

  #namesOf(
    to: Recipients,
    exclude: readonly string[],
    speaker: string | undefined,
  ): readonly string[] {
    const left = new Set<unknown>([...exclude, speaker]);
    return [...new Set(this.#allOf(to))].filter((one) => !left.has(one));
  }

  #allOf(to: Recipients): readonly string[] {
    if (Array.isArray(to)) return readNames('The recipients', to);
    const { capability } = (to ?? {}) as { readonly capability?: unknown };
    if (typeof capability === 'string') return this.#parts.namesWith(capability);
    throw misuse('The recipients', 'a list of names or { capability }', to);
  }
}

class Broadcasting implements BroadcastReceipt {
  readonly recipients: readonly BroadcastRecipient[];
  #settled: Promise<readonly BroadcastOutcome[]> | undefined;

  constructor(recipients: readonly BroadcastRecipient[]) {
    this.recipients = Object.freeze(recipients);
  }

  get settled(): Promise<readonly BroadcastOutcome[]> {
    this.#settled ??= Promise.all(this.recipients.map(outcomeOf));
    return this.#settled;
  }

  toJSON(): Record<string, unknown> {
    return { recipients: this.recipients };
  }
}
printAsJson(Broadcasting.prototype);

function attempt(to: string, send: (to: string) => Receipt): BroadcastRecipient {
  try {
    return Object.freeze({ to, receipt: send(to) });
  } catch (error) {
    return Object.freeze({ to, error });
  }
}

async function outcomeOf({ to, receipt, error }: BroadcastRecipient): Promise<BroadcastOutcome> {
  if (receipt === undefined) return { to, outcome: 'refused', error };
  return { to, ...nameOf(await receipt.settled) };
}

/** A directed message is one delivery, so one of the counts is one. */
function nameOf(settled: Settled): Omit<BroadcastOutcome, 'to'> {
  const [letterId] = settled.deadLettered;
  if (letterId !== undefined) return { outcome: 'dead-lettered', letterId };
  if (settled.handled > 0) return { outcome: 'handled' };
  if (settled.expired > 0) return { outcome: 'expired' };
  return { outcome: settled.cancelled > 0 ? 'cancelled' : 'unsent' };
}

function readNames(what: string, names: unknown): readonly string[] {
  if (names === undefined) return [];
  const list: unknown[] = Array.isArray(names) ? names : [names];
  if (list.every((name) => typeof name === 'string')) return list as string[];
  throw misuse(what, 'a list of names', names);
}
