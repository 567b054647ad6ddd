import { describe, expect, it } from 'vitest';
import {
  byVote,
  type Collaborated,
  type CollaborationOptions,
  Collaborations,
  type Ending,
  type Turn,
} from '../../src/agents.ts';
import type { AnyContract, Context, MessageBus } from '../../src/index.ts';
import type { Env } from '../../src/kernel/env.ts';
import { envOf } from '../../src/kernel/env-of.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { createTestBus, explore, type TestBus } from '../../src/testing.ts';
import { expectBalanced } from '../flow/books.ts';

const NAMES = ['ann', 'bob', 'cat', 'dan'];
const ENDINGS: readonly Ending[] = [
  'goal',
  'predicate',
  'rounds',
  'budget',
  'time-out',
  'cancelled',
  'failed',
];

type Behaviour = (turn: Turn, context: Context, leave: () => void) => unknown;

/** What a participant may do in its turn. */
const BEHAVIOURS: readonly Behaviour[] = [
  ({ round }) => round,
  ({ round }) => round,
  () => ({ assign: { ann: 1, bob: 2 } }),
  () => ({ assign: { zoe: 1 } }),
  () => undefined,
  () => ({ goalReached: true, value: 'done' }),
  () => {
    throw new RangeError('no ink');
  },
  // Hangs until nobody waits for it any more.
  (_turn, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    }),
  (_turn, _context, leave) => leave(),
  (_turn, context) => context.spend({ tokens: 30 }),
  (_turn, context) => context.request('slow', {}),
  (_turn, context) => context.publish('note', {}).id,
];

function makePlayers(bus: MessageBus, random: () => number): void {
  bus.subscribe('note', () => {});
  for (const name of [...NAMES, 'eve', 'fay']) {
    const agent = bus.register(name, { capabilities: ['talk'] });
    agent.serve('talk', ({ payload }, context) => {
      const behaviour = BEHAVIOURS[Math.floor(random() * BEHAVIOURS.length)] as Behaviour;
      return behaviour(payload as Turn, context, () => void context.close());
    });
  }
  // Answers, but late.
  const env = envOf(bus) as Env;
  bus
    .register('clerk')
    .serve('slow', () => new Promise((resolve) => env.setTimer(40, () => resolve('late'))));
}

/** Options by chance; some of them end nothing. */
function anyOptions(random: () => number): CollaborationOptions & { rounds: number } {
  const some = <T>(value: T): T | undefined => (random() < 0.4 ? value : undefined);
  const upTo = (most: number): number => Math.floor(random() * (most + 1));
  const given = {
    timeoutMs: some(upTo(400)),
    turnTimeoutMs: some(1 + upTo(100)),
    budget: some({ messages: upTo(12), tokens: upTo(100) }),
    until: some(
      ({ contributions }: { contributions: readonly unknown[] }) => contributions.length > 5,
    ),
    resolve: some(byVote()),
    share: some('note'),
    keep: some(1 + upTo(3)),
  };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  const participants = NAMES.map((name) =>
    random() < 0.5 ? name : { name, agent: name, capability: 'talk' },
  );
  return { topic: 'talk', participants, rounds: 1 + upTo(4), ...Object.fromEntries(set) };
}

/** Begins one by chance, which a seed chooses. */
function begin(bus: MessageBus, collaborations: Collaborations, random: () => number) {
  makePlayers(bus, random);
  const stop = new AbortController();
  const { rounds, ...options } = { ...anyOptions(random), signal: stop.signal };
  const onFailure = random() < 0.2 ? 'end' : 'skip';
  const lead = { name: 'lead', agent: 'eve', capability: 'talk' };
  const begun = [
    () => collaborations.roundRobin({ ...options, rounds, onFailure }),
    () => collaborations.supervisor({ ...options, rounds, onFailure, supervisor: lead }),
    () => collaborations.pipeline({ ...options, onFailure, input: 1 }),
  ][Math.floor(random() * 3)] as () => Promise<Collaborated>;
  return { working: begun(), options, stop: () => stop.abort(new Error('enough')) };
}

/** Whatever its players do: it ends once, says how, and leaves nothing behind. */
async function playToTheEnd(t: TestBus, seed: number): Promise<Collaborated> {
  const random = seededRandom(seed);
  const collaborations = new Collaborations(t.bus);
  const { working, options, stop } = begin(t.bus, collaborations, random);
  let ends = 0;
  void working.then(() => ends++);
  await t.clock.advance(Math.floor(random() * 200));
  if (random() < 0.2) stop();
  // Long enough for every turn to be over by the bus's own limit.
  await t.clock.advance(10_000_000);
  const result = await working;

  expect([ends, collaborations.active()]).toEqual([1, []]);
  expect(ENDINGS).toContain(result.ending);
  expect(t.pendingWork()).toEqual([]);
  t.invariants.check();
  expectBalanced(t.bus);
  expectConsistent(result, options);
  return result;
}

/** What it says of itself agrees. */
function expectConsistent(result: Collaborated, options: CollaborationOptions): void {
  const { ending, error, value, contributions, positions, spent, dropped, failed } = result;
  const { keep = 100, budget } = options;
  const hasReason = ['budget', 'cancelled', 'failed'].includes(ending);
  expect(error !== undefined, `${ending} has a reason`).toBe(hasReason);
  if (hasReason || ending === 'time-out') expect(value).toBeUndefined();
  expect(contributions.length).toBeLessThanOrEqual(keep);
  expect(failed.length).toBeLessThanOrEqual(keep);
  if (contributions.length < keep) expect(dropped).toBe(0);
  const { messages = Infinity } = (budget ?? {}) as { messages?: number };
  expect(spent.messages).toBeLessThanOrEqual(messages);
  expect(contributions.length + dropped).toBeGreaterThanOrEqual(positions.length);
}

const LENIENT = { unexpectedLetters: 'allow' } as const;

// F:F11
describe('a collaboration of players who do anything', () => {
  it('ends exactly once, in one of seven ways, and leaves nothing behind', async () => {
    const seen = new Map<Ending, number>();
    for (let seed = 1; seed <= 60; seed++) {
      const t: TestBus = createTestBus<AnyContract>({ seed, shuffle: true, ...LENIENT });
      const { ending } = await playToTheEnd(t, seed).catch((error: Error) => {
        throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
      });
      seen.set(ending, (seen.get(ending) ?? 0) + 1);
      await t.close();
    }
    // Else it would say little.
    expect([...seen.keys()].sort()).toEqual([...ENDINGS].sort());
  });

  it.each([1, 2, 3, 4])('does so in many orders, and with faults: program %i', async (seed) => {
    const { schedules } = await explore<AnyContract>(
      async (t) => {
        await playToTheEnd(t, seed);
      },
      {
        seeds: 8,
        ...LENIENT,
        faults: [
          { fault: 'drop', topic: 'talk', probability: 0.1 },
          { fault: 'slow', topic: 'talk', probability: 0.1 },
          { fault: 'crash', topic: 'talk', when: 'after', probability: 0.1 },
        ],
      },
    );

    expect(schedules).toBe(8);
  });
});
