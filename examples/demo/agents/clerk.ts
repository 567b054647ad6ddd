import type { Task, TaskContext } from 'tellask/agents';
import type { Desk } from '../desk.ts';

/** How many of the files of a folder were read. */
export interface FolderSummary {
  readonly folder: string;
  readonly read: number;
  readonly files: number;
}

/** Does a task that depends on those of the files; only those that were read have a result. */
export function sumUp(
  { input, dependsOn }: Task<string>,
  { results }: TaskContext<Desk>,
): FolderSummary {
  return { folder: input, read: Object.keys(results).length, files: dependsOn.length };
}
