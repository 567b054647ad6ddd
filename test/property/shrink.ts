import type { Program, Step } from './program.ts';

/**
 * Finds a shorter program that still fails: pieces are left out, large ones first, then every
 * option is set to its plainest value (delta debugging, Zeller and Hildebrandt 2002).
 */
export async function shrink(
  program: Program,
  fails: (program: Program) => Promise<boolean>,
): Promise<Program> {
  let best = await leaveOut(program, fails);
  for (let i = 0; i < best.length; i++) {
    for (const plainer of plainerSteps(best[i] as Step)) {
      const candidate = best.with(i, plainer);
      if (await fails(candidate)) best = candidate;
    }
  }
  return leaveOut(best, fails);
}

async function leaveOut(
  program: Program,
  fails: (program: Program) => Promise<boolean>,
): Promise<Program> {
  let best = program;
  for (
    let size = Math.ceil(best.length / 2);
    size >= 1;
    size = size > 1 ? Math.ceil(size / 2) : 0
  ) {
    for (let at = best.length - size; at >= 0; at--) {
      const candidate = [...best.slice(0, at), ...best.slice(at + size)];
      if (await fails(candidate)) best = candidate;
    }
  }
  return best;
}

const PLAIN: Record<string, unknown> = {
  capacity: 100,
  concurrency: 1,
  overflow: 'reject',
  ageingLimit: 16,
  onHang: 'release',
  attempts: 1,
  inPlace: false,
  keyed: false,
  rated: false,
  timeoutMs: 1_000,
  group: false,
  replay: false,
  echo: false,
  own: undefined,
  ending: 'return',
  acts: [],
  fails: 0,
  priority: 5,
  ttlMs: undefined,
  delayMs: undefined,
  dedupe: false,
  retain: false,
  placeMs: undefined,
  depth: 1,
  key: 0,
  signal: false,
  to: undefined,
};

function* plainerSteps(step: Step): Iterable<Step> {
  for (const name of ['box', 'hearing', 'behaviour', 'say'] as const) {
    const part = (step as Record<string, unknown>)[name] as Record<string, unknown> | undefined;
    if (part === undefined) continue;
    for (const option of Object.keys(part)) {
      if (!(option in PLAIN) || Object.is(part[option], PLAIN[option])) continue;
      part[option] === PLAIN[option] ||
        (yield { ...step, [name]: { ...part, [option]: PLAIN[option] } } as Step);
    }
  }
}
