import { directEnv } from './direct-env.ts';
import { makeProgram } from './make-program.ts';
import type { Program } from './program.ts';
import { MAX_STEPS, print, type Ran, runProgram } from './run-program.ts';
import { shrink } from './shrink.ts';
import type { Library } from './world.ts';

/** Which programs, and how they are run. */
export interface Search {
  readonly from: number;
  readonly count: number;
  /** Through the ring. @default false */
  readonly direct?: boolean;
  /** @default true */
  readonly shrinks?: boolean;
}

/** The first program that breaks a promise, made small, with what it breaks; or undefined. */
export async function findFailure(
  library: Library,
  { from, count, direct = false, shrinks = true }: Search,
): Promise<string | undefined> {
  const violationOf = async (program: Program): Promise<string | undefined> =>
    (await runOn(library, program, direct)).violation;
  for (let seed = from; seed < from + count; seed++) {
    const program = makeProgram(seed);
    const violation = await violationOf(program);
    if (violation === undefined) continue;
    if (!shrinks) return violation;
    const same = async (one: Program): Promise<boolean> =>
      kindOf(await violationOf(one)) === kindOf(violation);
    const small = await shrink(program, same);
    return `seed ${seed}: ${await violationOf(small)}\n${print(small)}`;
  }
  return undefined;
}

/** Runs a program with or without the ring. */
export function runOn(library: Library, program: Program, direct: boolean): Promise<Ran> {
  if (!direct) return runProgram(library, program);
  // Looking into a mailbox spills the ring, so nobody looks.
  return runProgram(library, program, {
    watchMailboxes: false,
    env: directEnv(library, MAX_STEPS),
  });
}

/** Two violations that differ in their numbers alone are one. */
function kindOf(violation: string | undefined): string | undefined {
  return violation?.replace(/\d+/g, '#').slice(0, 40);
}
