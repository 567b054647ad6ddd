// npm run soak -- [messages] [--seed n]: mixed traffic with faults, time-outs, retries, expiry,
// drops and agents that come and go. Fails when the heap grows or the books do not balance.
import { parseArgs } from 'node:util';
import { MessageBus } from 'tellask';
import { seededRandom } from '../src/testing/seeded-random.ts';
import { conservationFault, idleFaults } from './soak/books.ts';
import { type HeapPoint, heapBytes, slopePerMillion } from './soak/heap.ts';
import {
  Guests,
  type Random,
  registerHanger,
  registerResponders,
  registerWorkers,
  say,
} from './soak/traffic.ts';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' } },
});
const total = Number(positionals[0] ?? 1_000_000);
if (!(total >= 1_000))
  throw new RangeError(`messages: expected 1000 or more, got ${positionals[0]}`);
const seed = Number(flags.seed ?? Math.floor(Math.random() * 2 ** 32));

/** What the heap may grow a million messages, and how far two readings differ by chance. */
const maxSlope = 10 * 1024;
const noiseBytes = 64 * 1024;

/** Messages between two readings of the heap. */
const share = Math.ceil(total / 25);
/** Caches, histograms and machine code fill up first: bounded, and no leak. */
const warmUpShares = 5;
const messagesPerTurn = 200;

interface Parts {
  readonly bus: MessageBus;
  readonly random: Random;
  readonly guests: Guests;
}

/** A share of the traffic, then quiet. Returns what was wrong with the books. */
async function talk(parts: Parts, from: number, to: number): Promise<string[]> {
  const { bus, random, guests } = parts;
  let fault: string | undefined;
  bus.publish('hang', from);
  for (let index = from; index < to; index += 1) {
    guests.pass(random);
    say(bus, random, index);
    if (index % messagesPerTurn !== 0) continue;
    await new Promise((resolve) => setImmediate(resolve));
    fault ??= conservationFault(bus.inspect());
  }
  await new Promise((resolve) => setTimeout(resolve, 30)); // what was delayed is due by then
  await bus.drain();
  await bus.deadLetters.redrive({ reason: 'handler-error' }, { maxRedrives: 1 });
  await bus.drain();
  bus.deadLetters.purge();
  const faults = idleFaults(bus.inspect());
  return fault === undefined ? faults : [fault, ...faults];
}

function report(points: readonly HeapPoint[], faults: readonly string[], seconds: number): boolean {
  const steady = points.slice(warmUpShares);
  const slope = slopePerMillion(steady);
  const spanMillions = ((steady.at(-1)?.messages ?? 0) - (steady[0]?.messages ?? 0)) / 1e6;
  const allowed = Math.max(maxSlope, noiseBytes / spanMillions);
  console.log(`${Math.round(total / seconds)} messages/s, ${seconds.toFixed(1)} s`);
  console.log(`heap ${(slope / 1024).toFixed(1)} KB a million messages`);
  if (slope > allowed) console.error(`FAIL: more than ${(allowed / 1024).toFixed(1)} KB`);
  for (const line of faults) console.error(`FAIL: ${line}`);
  return slope <= allowed && faults.length === 0;
}

function begin(): Parts {
  const random = seededRandom(seed);
  // Both are bounded, but at their defaults the dispatch cache fills and empties by megabytes, and
  // guests take millions of messages to fill the labels: that would hide what is looked for.
  const bounds = { maxCachedTopics: 100, maxMetricLabels: 100 };
  const bus = new MessageBus({ handlerTimeoutMs: 100, ...bounds });
  registerWorkers(bus, random);
  registerResponders(bus, random);
  registerHanger(bus);
  return { bus, random, guests: new Guests(bus) };
}

async function soak(): Promise<boolean> {
  console.log(`soak of ${total} messages, seed ${seed}`);
  const parts = begin();
  const points: HeapPoint[] = [];
  const faults: string[] = [];
  const startedAt = performance.now();
  for (let from = 0; from < total; from += share) {
    const to = Math.min(from + share, total);
    faults.push(...(await talk(parts, from, to)));
    const bytes = await heapBytes();
    points.push({ messages: to, bytes });
    console.log(`${to} messages, heap ${Math.round(bytes / 1024)} KB`);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  console.log(JSON.stringify(parts.bus.inspect(), null, 2));
  await parts.bus.close();
  return report(points, faults, seconds);
}

if (!(await soak())) process.exitCode = 1;
