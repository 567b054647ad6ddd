import type { Agent, MessageBus } from 'tellask';
import { type NewTask, TaskBoard, type TaskStatus } from 'tellask/agents';
import { type FolderSummary, sumUp } from './agents/clerk.ts';
import { tellOfFile } from './agents/scout.ts';
import type { Desk } from './desk.ts';
import type { Readable } from './walk.ts';

/** What became of the tasks. */
export interface Readings {
  /** Files that were read, and those that nobody could read. */
  readonly completed: number;
  readonly failed: number;
  /** The folders, those with the most files first. */
  readonly folders: readonly FolderSummary[];
}

/** Who works for the board. */
export interface BoardStaff {
  readonly scout: Agent<Desk>;
  readonly clerk: Agent<Desk>;
}

// Files that the scout tells of at a time, and waits until they are read.
const AT_ONCE = 250;

/**
 * Makes a task of every file, and one of every folder, which depends on those of its files. The
 * scout tells of a file and waits until somebody has read it; the clerk sums a folder up.
 *
 * @returns how it stands when all have ended.
 */
export async function readAll(
  bus: MessageBus<Desk>,
  { scout, clerk }: BoardStaff,
  files: readonly Readable[],
): Promise<Readings> {
  const board = new TaskBoard(bus);
  board.work(scout, tellOfFile, { capabilities: ['tell'], concurrency: AT_ONCE });
  board.work(clerk, sumUp, { capabilities: ['sum-up'] });
  board.createAll(tasksOf(files));
  const summaries = board.list({ capability: 'sum-up' });
  const ended = await Promise.all(summaries.map(({ id }) => board.ended(id)));
  const count = (status: TaskStatus) => board.list({ capability: 'tell', status }).length;
  const folders = ended.map(({ result }) => result as FolderSummary);
  return {
    completed: count('completed'),
    failed: count('failed'),
    folders: folders.sort((a, b) => b.files - a.files),
  };
}

function tasksOf(files: readonly Readable[]): NewTask[] {
  const folders = new Map<string, string[]>();
  const readings = files.map((input, index): NewTask => {
    const [id, folder] = [`file-${index}`, folderOf(input.path)];
    folders.set(folder, [...(folders.get(folder) ?? []), id]);
    return { id, title: `Read ${input.path}`, input, requirements: { capability: 'tell' } };
  });
  const summaries = [...folders].map(
    ([folder, dependsOn], index): NewTask => ({
      id: `folder-${index}`,
      title: `Sum ${folder} up`,
      input: folder,
      dependsOn,
      // What nobody could read is what it has to say.
      onDependencyFailure: 'run',
      requirements: { capability: 'sum-up' },
    }),
  );
  return [...readings, ...summaries];
}

/** The folder at the top, or of a scope the one below it. */
function folderOf(path: string): string {
  const [top = '', next = '', ...rest] = path.split('/');
  if (next === '') return '.';
  if (top === '..') return 'elsewhere';
  return top.startsWith('@') && rest.length > 0 ? `${top}/${next}` : top;
}
