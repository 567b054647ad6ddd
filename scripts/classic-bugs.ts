// Who finds which of the classic bugs, after how many schedules and with how many choices; and
// whether the mended program survives every schedule there is, or 10 000.
//   npm run classics            all of them
//   npm run classics -- lease   those with this in their names
import { ExplorationError, type ExploreOptions, explore } from '../src/testing.ts';
import { CLASSIC_BUGS } from '../test/explore/bugs/all.ts';
import type { ClassicBug } from '../test/explore/bugs/classic-bug.ts';

const STRATEGIES = ['mix', 'random', 'pct'] as const;
const SCHEDULES = 10_000;

function exploring(bug: ClassicBug, program: 'buggy' | 'mended', options: ExploreOptions) {
  return explore((t) => bug[program](t), { ...(bug.setup && { setup: bug.setup }), ...options });
}

/** After how many schedules, and how few choices are left. */
async function found(bug: ClassicBug, strategy: (typeof STRATEGIES)[number]): Promise<string> {
  try {
    await exploring(bug, 'buggy', { strategy });
  } catch (error) {
    if (!(error instanceof ExplorationError)) throw error;
    return `${error.schedules} (${error.choices})`;
  }
  process.exitCode = 1;
  return 'not found';
}

/** All schedules there are, else as many by chance. */
async function survived(bug: ClassicBug): Promise<string> {
  try {
    const options = { strategy: 'exhaustive', maxSchedules: SCHEDULES } as const;
    const every = await exploring(bug, 'mended', options);
    if (every.finished) return `all ${every.schedules}`;
    const some = await exploring(bug, 'mended', { seeds: SCHEDULES });
    return `${every.schedules} in depth, ${some.schedules} by chance`;
  } catch (error) {
    if (!(error instanceof ExplorationError)) throw error;
    process.exitCode = 1;
    return `FAILED: ${error.replay}`;
  }
}

const wanted = process.argv[2] ?? '';
const bugs = CLASSIC_BUGS.filter(({ name }) => name.includes(wanted));
console.log(`bug | ${STRATEGIES.join(' | ')} | the mended program survives`);
console.log(`--- | ${STRATEGIES.map(() => '---').join(' | ')} | ---`);
for (const bug of bugs) {
  const cells: string[] = [bug.name];
  for (const strategy of STRATEGIES) cells.push(await found(bug, strategy));
  cells.push(await survived(bug));
  console.log(cells.join(' | '));
}
