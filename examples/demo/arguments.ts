import { parseArgs } from 'node:util';

import type { FailingStep } from './publish.ts';

/** What a user wants of the demo. */
export interface Wishes {
  readonly help: boolean;
  /** The folder to audit. */
  readonly folder: string;
  /** Whether a person is asked before a file is overwritten. */
  readonly ask: boolean;
  /** How many words the report may have. */
  readonly words: number;
  /** The step of the publishing that is made to fail. */
  readonly fail: FailingStep | undefined;
}

export const HELP = `Usage: npm run demo [-- [folder] [options]]

Audits the Markdown of a folder, by default of the packages that are installed, and writes
out/report.md, out/index.md, and two pictures: out/traffic.mmd and out/publishing.mmd.

  --ask        ask in the terminal before files of an earlier run are overwritten;
               without it that is granted at once
  --budget N   let the writer spend N words; a report that needs more ends early and says so.
               Counted is what stands between blanks in the report, line by line
  --fail STEP  make a step of the publishing fail, index or announce: what was done before it
               is undone in reverse
  --help       show this`;

/**
 * Reads the arguments of the command.
 *
 * @throws Error that says what is wrong with them.
 */
export function readArguments(argv: readonly string[], isTerminal: boolean): Wishes {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', default: false },
      ask: { type: 'boolean', default: false },
      budget: { type: 'string' },
      fail: { type: 'string' },
    },
  });
  const [folder = 'node_modules', second] = positionals;
  if (second !== undefined) throw new Error(`One folder at a time, please: ${folder} or ${second}`);
  if (values.ask && !isTerminal) {
    throw new Error('--ask needs a terminal to ask in; leave it out to have it granted.');
  }
  const [words, fail] = [readWords(values.budget), readStep(values.fail)];
  return { help: values.help, folder, ask: values.ask, words, fail };
}

function readWords(budget: string | undefined): number {
  if (budget === undefined) return Infinity;
  if (/^\d{1,9}$/.test(budget)) return Number(budget);
  throw new Error(`--budget takes a whole number of words, not ${JSON.stringify(budget)}.`);
}

function readStep(step: string | undefined): FailingStep | undefined {
  if (step === undefined || step === 'index' || step === 'announce') return step;
  throw new Error(`--fail takes index or announce, not ${JSON.stringify(step)}.`);
}
