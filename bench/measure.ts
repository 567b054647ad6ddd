import { fileURLToPath } from 'node:url';
import type { Contender } from './contender.ts';
import { ContenderProcess } from './contender-process.ts';
import type { Listed } from './lists.ts';
import type { Row } from './row.ts';
import { type Summary, summarize } from './statistics.ts';

/** How much is measured. Every process is a fresh start: machine code differs by chance. */
export interface Effort {
  readonly processes: number;
  readonly samples: number;
}

/** What came out for one contender in one row. */
export type Result = (Summary & { readonly note?: string }) | { readonly error: string };

const program = fileURLToPath(new URL('out/child.js', import.meta.url));

/** One contender at one row. Its first failure ends it; the others go on. */
class Runner {
  readonly name: string;
  readonly #args: readonly string[];
  readonly #nodeFlags: readonly string[];
  readonly #values: number[] = [];
  #process: ContenderProcess | undefined;
  #error: string | undefined;
  #note: string | undefined;

  constructor(row: Listed<Row>, contender: Listed<Contender>) {
    this.name = contender.value.name;
    this.#args = [row.file, row.value.name, contender.file];
    this.#nodeFlags = row.value.nodeFlags ?? [];
  }

  async start(): Promise<void> {
    if (this.#error !== undefined) return;
    this.#process = new ContenderProcess(program, this.#args, this.#nodeFlags);
    const answer = await this.#process.ask();
    if ('error' in answer) this.#error = answer.error;
  }

  async sample(): Promise<void> {
    if (this.#error !== undefined || this.#process === undefined) return;
    const answer = await this.#process.ask();
    if ('error' in answer) {
      this.#error = answer.error;
    } else {
      this.#values.push(answer.value);
      this.#note = answer.note;
    }
  }

  stop(): void {
    this.#process?.stop();
  }

  result(): Result {
    if (this.#error !== undefined) return { error: this.#error };
    const summary = summarize(this.#values);
    return this.#note === undefined ? summary : { ...summary, note: this.#note };
  }
}

/** A B C A B C …: what slows the machine for a while slows all contenders alike. */
async function interleave(runners: readonly Runner[], samples: number): Promise<void> {
  for (const runner of runners) await runner.start();
  for (let round = 0; round < samples; round += 1) {
    for (const runner of runners) await runner.sample();
  }
  for (const runner of runners) runner.stop();
}

/** Measures one row: every contender in processes of its own, samples interleaved. */
export async function measure(
  row: Listed<Row>,
  contenders: readonly Listed<Contender>[],
  effort: Effort,
): Promise<Record<string, Result>> {
  const runners = contenders.map((contender) => new Runner(row, contender));
  for (let round = 0; round < effort.processes; round += 1) {
    await interleave(runners, effort.samples);
  }
  return Object.fromEntries(runners.map((runner) => [runner.name, runner.result()]));
}
