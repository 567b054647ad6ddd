import type { Voice } from '../delivery/context.ts';
import type { Input, RunEntry } from './run-entry.ts';
import type { TestBus } from './test-bus.ts';

/** Options of {@link replayRun}. */
export interface ReplayOptions {
  /** Who says again what agents said outside of their handlers; the host needs nobody. */
  readonly as?: Readonly<Record<string, Voice>>;
  /** Says also what is marked `altered`, as it stands in the cassette. @default false */
  readonly altered?: boolean;
}

type Said = RunEntry & { readonly said: Input; readonly topic: string };

/**
 * Says on a test bus again, at the same instants, what was said in a recorded run from outside of
 * all handlers. The agents are those of the test: what they make of it is what is tested. Requests
 * go to the agents that they went to; what they are answered with is for `diffRuns` to compare.
 *
 * @throws TypeError before anything is said, when a payload is `altered` or a voice is missing.
 * @example
 * ```ts
 * import { createTestBus, diffRuns, replayRun, type TestBus } from 'tellask/testing';
 * const makeEcho = ({ bus }: TestBus, word: string) =>
 *   bus.register('echo').subscribe('said', (_, context) => context.publish(word, {}));
 * const first = createTestBus();
 * makeEcho(first, 'heard');
 * first.bus.publish('said', 'hello');
 * await first.run();
 *
 * const second = createTestBus();
 * makeEcho(second, 'understood');
 * await replayRun(first.recorded(), second);
 * diffRuns(first.recorded(), second.recorded()).added[0];
 * // => 'echo -> nobody  understood  admitted event'
 * ```
 */
export async function replayRun(
  entries: readonly RunEntry[],
  t: Pick<TestBus, 'bus' | 'clock' | 'settle'>,
  options: ReplayOptions = {},
): Promise<void> {
  const voices = new Map<string, Voice>([...Object.entries(options.as ?? {}), ['$host', t.bus]]);
  for (const entry of entries) checkInput(entry, voices, options.altered === true);
  let rested = true;
  for (const entry of entries) {
    if (entry.what === 'closed') break;
    if (entry.atMs > t.clock.nowMs) await t.clock.advance(entry.atMs - t.clock.nowMs);
    // What stands between two inputs happened between them.
    else if (isInput(entry) && !rested) await t.settle();
    rested = isInput(entry);
    if (isInput(entry)) say(voices.get(entry.from ?? '') as Voice, entry);
  }
  await t.settle();
}

function isInput(entry: RunEntry): entry is Said {
  return entry.said !== undefined && entry.topic !== undefined;
}

function checkInput(
  entry: RunEntry,
  voices: ReadonlyMap<string, Voice>,
  takesAltered: boolean,
): void {
  if (!isInput(entry)) return;
  const { id, topic, from = '', altered } = entry;
  if (altered && !takesAltered) {
    const what = `The payload of ${id} ${topic} is not what was said`;
    throw new TypeError(`${what}: pass { altered: true } to say what stands there`);
  }
  if (voices.has(from)) return;
  throw new TypeError(`${from} said ${id} ${topic} outside of a handler: pass { as: { ${from} } }`);
}

/** What is refused or fails now stands in the new transcript. */
function say(voice: Voice, { said, topic, type, to = [], payload }: Said): void {
  const { verb, ttlMs, ...rest } = said;
  const [first = ''] = to;
  try {
    if (verb === 'request') {
      const timeout = ttlMs === undefined ? {} : { timeoutMs: ttlMs };
      voice.request(topic, payload, { ...rest, ...timeout, to: first }).catch(() => {});
      return;
    }
    const options = { ...rest, type: type as string, ...(ttlMs === undefined ? {} : { ttlMs }) };
    if (verb === 'publish') voice.publish(topic, payload, options);
    else voice.send(first, topic, payload, options);
  } catch {
    // As above.
  }
}
