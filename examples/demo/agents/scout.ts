import { type Agent, topic } from 'tellask';
import type { Task, TaskContext } from 'tellask/agents';
import type { Desk } from '../desk.ts';
import { nameOf } from '../path-name.ts';
import { type Found, type Readable, type Unreadable, walkFolder } from '../walk.ts';

/**
 * Finds all there is to look at.
 *
 * @throws Error when the folder is missing, or holds neither pages nor packages.
 */
export async function findFiles(root: string): Promise<readonly Found[]> {
  const files: Found[] = [];
  for await (const found of walkFolder(root)) files.push(found);
  if (files.every(({ kind }) => kind === 'unreadable')) {
    throw new Error(`There is no Markdown in ${root}.`);
  }
  return files;
}

/** Does the task of a file: begins the conversation about it, and waits until it was read. */
export async function tellOfFile(
  { input: { kind, path } }: Task<Readable>,
  context: TaskContext<Desk>,
): Promise<string> {
  const found = kind === 'page' ? 'file.{path}.found' : 'package.{path}.found';
  const receipt = context.publish(topic(found, { path: nameOf(path) }), { path });
  const { deadLettered } = await receipt.settled;
  if (deadLettered.length > 0) throw new Error(`Nobody could read ${path}.`);
  return path;
}

/** Tells of a folder in which nobody may look. */
export function tellOfFolder(agent: Agent<Desk>, { path, reason }: Unreadable): void {
  agent.publish(topic('folder.{path}.unreadable', { path: nameOf(path) }), { path, reason });
}
