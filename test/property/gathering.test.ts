import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Agent,
  first,
  type Gathered,
  MessageBus,
  quorum,
  type Until,
} from '../../src/index.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { expectBalanced, hang } from '../flow/books.ts';

/** How one agent meets the question; `yields` lets others go first before it answers. */
const WAYS = [
  'ok',
  'yields',
  'throws',
  'hangs',
  'stops when told',
  'leaves',
  'is full',
  'is paused',
  'ends',
  'puts off',
] as const;
const UNTILS: Record<string, Until | undefined> = {
  all: undefined,
  'first(1)': first(),
  'quorum(2)': quorum(2),
  'quorum(4)': quorum(4),
  'a failure': ({ failed }) => failed.length > 0,
  fault: ({ ok }) => {
    if (ok.length > 0) throw new Error('fault');
    return false;
  },
};
const PROGRAM = fc.record({
  ways: fc.array(fc.constantFrom(...WAYS), { minLength: 1, maxLength: 6 }),
  until: fc.constantFrom(...Object.keys(UNTILS)),
  stragglers: fc.constantFrom('run' as const, 'abort' as const),
  end: fc.constantFrom('nothing', 'signal', 'close', 'time'),
  after: fc.nat(12),
  idle: fc.constantFrom(undefined, 50),
  direct: fc.boolean(),
  seed: fc.nat(),
});
type Program = typeof PROGRAM extends fc.Arbitrary<infer P> ? P : never;

/** Registers an agent that meets the question in its way. */
function employ(bus: MessageBus, name: string, way: Program['ways'][number]): Agent {
  const agent = bus.register(name, { capacity: way === 'is full' ? 1 : 10 });
  const serving = agent.serve('q', async (_m, context) => {
    if (way === 'yields') await Promise.resolve();
    if (way === 'throws') throw new Error('mine');
    if (way === 'hangs') return hang();
    if (way === 'leaves') void agent.leave();
    if (way === 'ends') serving.unsubscribe();
    if (way === 'puts off') return context.defer();
    if (way !== 'stops when told') return name;
    return new Promise((_resolve, reject) => {
      context.signal.addEventListener('abort', () => reject(context.signal.reason));
    });
  });
  if (way === 'is paused' || way === 'is full') agent.pause();
  if (way === 'is full') bus.send(name, 'takes.the.place', 1);
  return agent;
}

function makeEnv({ seed, direct }: Program): SimEnv {
  const random = seededRandom(seed);
  const env = new SimEnv({ choose: (lanes) => Math.floor(random() * lanes.length) });
  if (direct) Object.defineProperty(env, 'direct', { value: true });
  return env;
}

async function run(program: Program): Promise<void> {
  const env = makeEnv(program);
  const bus = new MessageBus({ env, handlerTimeoutMs: 1_000, graceMs: 10 });
  const names = program.ways.map((way, n) => employ(bus, `${n}`, way).name);
  const controller = new AbortController();
  const chosen = UNTILS[program.until];
  const idle = program.idle === undefined ? {} : { idleTimeoutMs: program.idle };
  const until = chosen === undefined ? {} : { until: chosen };
  let settledTimes = 0;
  let result: Gathered | undefined;
  let fault: unknown;
  const options = {
    ...until,
    stragglers: program.stragglers,
    signal: controller.signal,
    timeoutMs: 100,
    ...idle,
  };
  void bus.gather('q', 1, options).then(
    (gathered) => {
      settledTimes++;
      result = gathered;
    },
    (error) => {
      settledTimes++;
      fault = error;
    },
  );
  for (let n = 0; n < program.after; n++) {
    env.step();
    await Promise.resolve();
    expectBalanced(bus);
  }
  const closed = program.end === 'close' ? bus.close({ timeoutMs: 20 }) : undefined;
  if (program.end === 'signal') controller.abort('enough');
  await env.advance(program.end === 'time' ? 100 : 5_000);
  await env.advance(5_000);

  expectBalanced(bus);
  expect(settledTimes).toBe(1);
  if (result === undefined) expect((fault as Error).message).toBe('fault');
  else expectWhole(result, names, program);
  expect(bus.inspect().pendingRequests).toBe(0);
  // Whom the gather let go on was asked and is not wanted: that is no late reply.
  const late = bus.deadLetters.list({ reason: 'late-reply' }).map(({ message }) => message.from);
  expect(late.filter((from) => result?.pending.includes(from))).toEqual([]);
  await env.run();
  await (closed ?? closeNow(bus, env));
  expectBalanced(bus);
  expect(env.pendingTimers()).toEqual([]);
  expect(bus.inspect()).toMatchObject({ queued: 0, inFlight: 0, deferred: 0, waiting: 0 });
}

async function closeNow(bus: MessageBus, env: SimEnv): Promise<void> {
  const closing = bus.close({ mode: 'abort' });
  await env.run();
  await closing;
}

/** Every agent stands in exactly one list, and the reason fits what the lists hold. */
function expectWhole(result: Gathered, names: string[], { until, stragglers }: Program): void {
  const { ok, failed, pending, cancelled, reason } = result;
  const all = [...ok, ...failed, ...cancelled].map(({ from }) => from).concat(pending);
  expect(all.toSorted()).toEqual(names.toSorted());
  for (const { from, value } of ok) expect(value).toBe(from);
  if (stragglers === 'abort' || reason === 'withdrawn') expect(pending).toEqual([]);
  if (reason === 'all' || reason === 'closed') expect(pending).toEqual([]);
  const wanted = (UNTILS[until] as { answers?: number } | undefined)?.answers;
  if (wanted === undefined) return;
  expect(reason).not.toBe('all');
  expect(ok.length >= wanted).toBe(reason === 'enough');
}

// R:F4 R:A3
describe('a gather of anybody, in any order', () => {
  it('accounts for everyone exactly once and leaves nothing behind', async () => {
    await fc.assert(fc.asyncProperty(PROGRAM, run), { numRuns: 150 });
  }, 60_000);
});
