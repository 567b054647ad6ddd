import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { createTestBus } from '../../src/testing.ts';

/** What a handler asks, one after the other, before it answers. */
interface Task {
  readonly to: string;
  readonly asks: readonly Task[];
  /** Asks all at once, and waits for all. */
  readonly together: boolean;
}

/** What the test knows of a request that is open, without a look into the bus. */
interface Open {
  readonly to: string;
  /** The request whose handler waits for this one; none of the host. */
  readonly by: Open | undefined;
  running: boolean;
}

const NAMES = ['a', 'b', 'c', 'd'];

/** A small system: who can do how much at a time, and what is asked of whom. */
function makeSystem(seed: number): { slots: Map<string, number>; tasks: Task[] } {
  const random = seededRandom(seed);
  const pick = (n: number): number => Math.floor(random() * n);
  const names = NAMES.slice(0, 3 + pick(2));
  const task = (depth: number): Task => ({
    to: names[pick(names.length)] as string,
    asks: Array.from({ length: depth === 0 ? 0 : pick(3) }, () => task(depth - 1)),
    together: pick(3) === 0,
  });
  const slots = new Map(names.map((name) => [name, 1 + pick(2)]));
  return { slots, tasks: Array.from({ length: 2 + pick(4) }, () => task(3)) };
}

/**
 * The oracle, by brute force: lets every handler that waits for nothing end, and everything in a
 * line begin where a slot is free, until nothing moves. What is left can never end.
 */
function canEnd(
  wanted: Open,
  running: ReadonlyMap<Open, boolean>,
  slots: ReadonlyMap<string, number>,
): boolean {
  const left = new Map(running);
  for (let moved = true; moved && left.has(wanted); ) {
    moved = false;
    for (const [one, runs] of left) {
      const busy = [...left].filter(([other, too]) => too && other.to === one.to).length;
      if (!runs && busy < (slots.get(one.to) ?? 0)) {
        left.set(one, true);
        moved = true;
      } else if (runs && ![...left.keys()].some(({ by }) => by === one)) {
        left.delete(one);
        moved = true;
      }
    }
  }
  return !left.has(wanted);
}

interface Run {
  readonly refusals: number;
  readonly stuck: number;
  readonly wrong: string[];
}

async function runSystem(seed: number): Promise<Run> {
  const { slots, tasks } = makeSystem(seed);
  const t = createTestBus({ seed, isolation: 'share', guard: { maxDepth: Infinity } });
  const open = new Set<Open>();
  const wrong: string[] = [];
  let refusals = 0;
  const ask = async (
    by: Open | undefined,
    task: Task,
    request: (to: string, payload: unknown) => Promise<unknown>,
  ): Promise<void> => {
    const mine: Open = { to: task.to, by, running: false };
    open.add(mine);
    const then = new Map([...open].map((one) => [one, one.running]));
    await request(task.to, { task, mine }).catch((error: { code: string }) => {
      if (error.code !== 'TELLASK_DEADLOCK' || mine.running) return;
      refusals++;
      // It was refused when it was said: the oracle judges what was open then.
      if (canEnd(mine, then, slots)) wrong.push(`${by?.to} may ask ${task.to}`);
    });
    open.delete(mine);
  };
  for (const [name, concurrency] of slots) {
    t.bus.register(name, { concurrency }).serve(name, async (message: Message, context) => {
      const { task, mine } = message.payload as { task: Task; mine: Open };
      mine.running = true;
      const each = (one: Task): Promise<void> =>
        ask(mine, one, (to, payload) => context.request(to, payload));
      if (task.together) await Promise.all(task.asks.map(each));
      else for (const one of task.asks) await each(one);
    });
  }
  for (const task of tasks) void ask(undefined, task, (to, payload) => t.bus.request(to, payload));
  await t.settle();
  return { refusals, stuck: open.size, wrong };
}

describe('the wait-for graph, against an oracle', () => {
  // R:B6
  it('refuses in every small system what would stand still, and nothing that could go on', async () => {
    const wrong: string[] = [];
    let refused = 0;
    for (let seed = 1; seed <= 120; seed++) {
      const run = await runSystem(seed);
      if (run.refusals > 0) refused++;
      if (run.stuck > 0) wrong.push(`${seed}: ${run.stuck} stand still`);
      for (const one of run.wrong) wrong.push(`${seed}: ${one}`);
    }

    expect(wrong).toEqual([]);
    // Systems of both kinds are among them.
    expect(refused).toBeGreaterThan(20);
    expect(refused).toBeLessThan(110);
  });
});
