import { DeadLetters } from '../delivery/dead-letters.ts';
import type { PayloadKeeper } from '../delivery/payload-keeper.ts';
import { StoredLetters } from '../delivery/stored-letters.ts';
import type { Env } from '../kernel/env.ts';
import type { Contract } from '../message/contract.ts';
import type { Origin } from '../message/envelope.ts';
import { type BusOptions, DEFAULTS, type DeadLetterOptions } from './bus-options.ts';
import type { Fault } from './faults.ts';

/** What the letters of a bus need of it. */
interface LetterWiring {
  readonly env: Env;
  readonly origin: Origin;
  readonly contract: Contract | undefined;
  readonly keeper: PayloadKeeper;
  readonly fault: Fault;
  readonly quarantined: ConstructorParameters<typeof DeadLetters>[0]['quarantined'];
}

/** The dead letters as the options of the bus say, stored where there is a store. */
export function makeLetters(wiring: LetterWiring, given: BusOptions['deadLetters']): DeadLetters {
  const { env, origin, quarantined } = wiring;
  const options = given ?? {};
  const { maxLetters = DEFAULTS.maxLetters, maxBytes = DEFAULTS.maxLetterBytes } = options;
  const { maxPerReason = maxLetters, maxRedrives = DEFAULTS.maxRedrives } = options;
  const { retentionMs = DEFAULTS.letterRetentionMs } = options;
  let letters = 0;
  return new DeadLetters(
    {
      wall: () => env.wall(),
      now: () => env.now(),
      nextLetterId: () => `${origin.idPrefix}dl${++letters}`,
      stored: makeStored(wiring, options),
      quarantined,
    },
    { maxLetters, maxBytes, maxPerReason, retentionMs },
    maxRedrives,
  );
}

function makeStored(
  { env, origin, contract, keeper, fault }: LetterWiring,
  { store, ...options }: DeadLetterOptions,
): StoredLetters | undefined {
  if (store === undefined) return undefined;
  const { name = 'default', secrets = 'redact' } = options;
  return new StoredLetters({
    env,
    store,
    name,
    secrets,
    timeoutMs: options.storeTimeoutMs ?? DEFAULTS.letterStoreTimeoutMs,
    origin,
    familyOf: (section, topic) => contract?.family(section, topic),
    takeIn: (payload) => keeper.keepAnything(payload),
    onFault: fault,
  });
}
