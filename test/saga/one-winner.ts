import { expect } from 'vitest';
import type { SagaResult, Store } from '../../src/index.ts';
import { MemoryStore } from '../../src/index.ts';
import { intercepted } from '../../src/testing/faulty-store.ts';
import type { WorldState } from '../../src/testing/saga-world.ts';
import { stopAtCommit } from '../../src/testing.ts';
import { callsOf, emptyWorld, Process, wordOf } from './process.ts';
import { doing, type SagaMaker } from './shapes.ts';

/** A proof that can be tried on a copy of the library with a fault in it. */
export interface WinnerProof {
  readonly name: string;
  readonly prove: (library: SagaMaker) => Promise<void>;
}

const HOUR = 3_600_000;
const HARMLESS = ['TELLASK_SAGA_RUNNING', 'TELLASK_SAGA_LEASE_LOST', 'completed'];

/** A store object of one process: what a process knows of its own sagas hangs on it. */
function seenBy(inner: Store): Store {
  return stopAtCommit(inner, Infinity, 'before');
}

/** A gate that some calls wait at. */
function gate(): { open: () => void; readonly opened: Promise<void> } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

export const PROOFS: readonly WinnerProof[] = [
  { name: 'one goes on, whatever came first', prove: proveRace },
  { name: 'one begins it, whatever came first', prove: proveFirstRun },
  { name: 'who read before another ended it begins nothing anew', prove: proveSlow },
  { name: 'who was overtaken in a step saves nothing more, and says so', prove: proveStale },
  { name: 'who was overtaken undoes nothing when his step fails', prove: proveStaleFailure },
];

/** Two take up what a third left behind, one some turns after the other. */
async function proveRace(library: SagaMaker): Promise<void> {
  for (const nth of [2, 3, 4]) {
    for (let turns = 0; turns <= 12; turns += 1) {
      const state = emptyWorld();
      const inner = new MemoryStore();
      await killed(library, state, inner, nth);
      const began = state.calls.length;

      const outcomes = await race(state, turns, (process) =>
        trip(library, process).resume('t', { store: seenBy(inner), env: process.env }),
      );

      expect(outcomes).toContain('completed');
      expect(HARMLESS).toEqual(expect.arrayContaining(outcomes));
      expectOnce(callsOf(state).slice(began));
      expect([...state.standing.values()]).toEqual(['flight', 'hotel', 'mail']);
    }
  }
}

async function proveFirstRun(library: SagaMaker): Promise<void> {
  for (let turns = 0; turns <= 12; turns += 1) {
    const state = emptyWorld();
    const inner = new MemoryStore();

    const outcomes = await race(state, turns, (process) =>
      trip(library, process).run('t', 'Rome', { store: seenBy(inner), env: process.env }),
    );

    expect(outcomes).toContain('completed');
    expect(HARMLESS).toEqual(expect.arrayContaining(outcomes));
    expect(callsOf(state)).toEqual(['run flight', 'run hotel', 'run mail']);
  }
}

/** The claim of one reaches the store when another has brought the saga to its end. */
async function proveSlow(library: SagaMaker): Promise<void> {
  const state = emptyWorld();
  const inner = new MemoryStore();
  await killed(library, state, inner, 3);
  const slow = gate();
  const [one, other] = [new Process(state), new Process(state)];
  for (const { env } of [one, other]) await env.advance(HOUR);
  const store = intercepted(inner, async (call, _writes, work) => {
    if (call === 'commit') await slow.opened;
    return work();
  });

  const claims = trip(library, one).resume('t', { store, env: one.env });
  await one.env.settle();
  const quick = trip(library, other).resume('t', { store: seenBy(inner), env: other.env });
  const first = wordOf(await other.end(quick));
  const calls = callsOf(state);
  slow.open();

  expect([first, wordOf(await one.end(claims))]).toEqual(['completed', 'completed']);
  expect(callsOf(state)).toEqual(calls);
}

/** One stands still in a step for longer than its lease, and another does all of it. */
async function proveStale(library: SagaMaker): Promise<void> {
  const { state, stale, outcome, second } = await overtaken(library, (process, waits) =>
    doing(process.world, 'room', waits),
  );

  stale.open();

  expect(wordOf(second)).toBe('completed');
  expect(wordOf(await outcome)).toBe('TELLASK_SAGA_LEASE_LOST');
  expect(callsOf(state)).toEqual(['run flight', 'run hotel', 'run mail', 'run hotel']);
  expect([...state.standing.values()]).toEqual(['flight', 'hotel', 'mail']);
}

async function proveStaleFailure(library: SagaMaker): Promise<void> {
  let failures = 0;
  const { state, stale, outcome, second } = await overtaken(library, (process, waits) => ({
    ...doing(process.world, 'room'),
    run: async (_: string, c) => {
      if (waits === undefined) return process.world.perform(c, 'room');
      await waits;
      failures += 1;
      return process.world.fail(c, new Error('too late'));
    },
  }));

  stale.open();

  expect(wordOf(second)).toBe('completed');
  expect(wordOf(await outcome)).toBe('TELLASK_SAGA_LEASE_LOST');
  expect(failures).toBe(1);
  expect(callsOf(state)).not.toContain('undo flight');
  expect([...state.standing.values()]).toEqual(['flight', 'hotel', 'mail']);
}

type Hotel = ReturnType<typeof doing>;

/** The first waits in its hotel until the gate opens; an hour later the second does it all. */
async function overtaken(
  library: SagaMaker,
  hotel: (process: Process, waits: Promise<void> | undefined) => Hotel,
) {
  const state = emptyWorld();
  const inner = new MemoryStore();
  const stale = gate();
  const [one, other] = [new Process(state), new Process(state)];
  const first = trip(library, one, hotel(one, stale.opened)).run('t', 'Rome', {
    store: seenBy(inner),
    env: one.env,
  });
  await one.env.settle();
  await other.env.advance(HOUR);
  const second = await other.end(
    trip(library, other, hotel(other, undefined)).resume('t', {
      store: seenBy(inner),
      env: other.env,
    }),
  );
  return { state, stale, second, outcome: one.end(first) };
}

function trip({ saga }: SagaMaker, { world }: Process, hotel: Hotel = doing(world, 'room')) {
  return saga<string>('trip')
    .step('flight', doing(world, 'LH-1'))
    .step('hotel', hotel)
    .step('mail', doing(world, 'sent'));
}

/** A process that dies at a commit. */
async function killed(
  library: SagaMaker,
  state: WorldState,
  inner: Store,
  nth: number,
): Promise<void> {
  const process = new Process(state);
  const store = stopAtCommit(inner, nth, 'after');
  void trip(library, process).run('t', 'Rome', {
    store,
    env: process.env,
    storeTimeoutMs: Infinity,
  });
  await store.whenStopped;
}

/** Two processes an hour later, the second so many turns behind the first. */
async function race(
  state: WorldState,
  turns: number,
  call: (process: Process) => Promise<SagaResult>,
): Promise<string[]> {
  const processes = [new Process(state), new Process(state)] as const;
  for (const { env } of processes) await env.advance(HOUR);
  const first = processes[0].end(call(processes[0]));
  for (let turn = 0; turn < turns; turn += 1) await undefined;
  const second = processes[1].end(call(processes[1]));
  return (await Promise.all([first, second])).map(wordOf);
}

function expectOnce(calls: readonly string[]): void {
  expect(new Set(calls).size, calls.join(', ')).toBe(calls.length);
}
