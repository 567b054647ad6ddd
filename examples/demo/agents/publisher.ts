import { access, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Agent, BudgetExhaustedError } from 'tellask';
import type { Desk } from '../desk.ts';
import type { HowFar } from './writer.ts';

/** Where the publisher puts what was written. */
interface Files {
  readonly report: string;
  readonly diagram: string;
}

/** The files of a folder. */
function filesIn(folder: string): Files {
  return { report: join(folder, 'report.md'), diagram: join(folder, 'traffic.mmd') };
}

/**
 * Puts the report on the disk and passes on each line as it is written. What is there already is
 * overwritten when the chief has it allowed, else it stays as it is.
 */
export function makePublisher(agent: Agent<Desk>, folder: string): void {
  const files = filesIn(folder);
  agent.serve('report.publish', async function* ({ payload }, context) {
    const old = await presentOf(Object.values(files));
    const mayWrite =
      old.length === 0 || (await context.request('files.overwrite', old, { timeoutMs: Infinity }));
    if (!mayWrite) return { status: 'kept' } as const;
    await mkdir(folder, { recursive: true });
    await writeFile(files.diagram, payload.diagram);
    await using file = await open(files.report, 'w');
    try {
      for await (const line of context.stream('report.write', payload.audit)) {
        await file.write(line);
        yield line;
      }
    } catch (error) {
      if (!(error instanceof BudgetExhaustedError)) throw error;
      const note = noteOf(error);
      await file.write(note);
      yield note;
      throw error;
    }
    return { status: 'written' } as const;
  });
}

/** Says in the report itself that it is not all of it. */
function noteOf({ limit, partial }: BudgetExhaustedError): string {
  const { written, lines } = partial as HowFar;
  return `\n**This report ends early.** Its budget of ${limit} words was used up: ${written} of ${lines} lines were written.\n`;
}

async function presentOf(paths: readonly string[]): Promise<string[]> {
  const present: string[] = [];
  for (const path of paths) {
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      present.push(path);
  }
  return present;
}
