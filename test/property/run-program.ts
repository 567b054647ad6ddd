import { inspect } from 'node:util';
import type { BusInspection } from '../../src/index.ts';
import type { SimEnv } from '../../src/testing/sim-env.ts';
import type { Program } from './program.ts';
import { type Library, World } from './world.ts';

/** No program of this size needs more. */
export const MAX_STEPS: number = 20_000;

/** What a program left behind. */
export interface Ran {
  readonly violation: string | undefined;
  readonly books: BusInspection;
  readonly starts: ReadonlyMap<string, readonly string[]>;
}

/** How a program is run. */
export interface RunOptions {
  /** Looks into the mailboxes after each step. That spills the ring. @default true */
  readonly watchMailboxes?: boolean;
  /** @default a simulated one, without the ring */
  readonly env?: SimEnv;
  /** How late the process may be, in milliseconds. @default 0 */
  readonly lateMs?: number;
  /** What is not wrong here. @default nothing */
  readonly excused?: RegExp;
}

/** Runs a program to its end, stops at the first thing that must not be. */
export async function runProgram(
  library: Library,
  program: Program,
  { watchMailboxes = true, env = simulated(library), lateMs = 0, excused }: RunOptions = {},
): Promise<Ran> {
  const world = new World(library, env, watchMailboxes, lateMs);
  const { books } = world;
  books.excused = excused;
  try {
    for (const step of program) {
      await world.take(step);
      if (books.violation !== undefined) break;
    }
    if (books.violation === undefined) await toTheEnd(world);
  } catch (error) {
    books.blame(`the run broke: ${(error as Error).stack}`);
  }
  return { violation: books.violation, books: world.bus.inspect(), starts: world.starts };
}

async function toTheEnd(world: World): Promise<void> {
  const { env } = world;
  if (world.bus.inspect().status !== 'closed') world.close('drain', 300);
  await env.advance(6_000);
  world.check('closing');
  await env.run();
  world.checkEnd();
}

function simulated({ SimEnv }: Library): SimEnv {
  return new SimEnv({ maxSteps: MAX_STEPS });
}

/** A program as a person reads it: one step a line. */
export function print(program: Program): string {
  const show = (step: unknown): string =>
    inspect(step, { breakLength: Number.POSITIVE_INFINITY, depth: 5 });
  return program.map((step, i) => `  ${i}. ${show(step)}`).join('\n');
}
