import { type Agent, topic } from 'tellask';
import type { Desk } from '../desk.ts';
import { nameOf } from '../path-name.ts';
import { type Found, walkFolder } from '../walk.ts';

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

/**
 * Tells of each file, which begins a conversation of its own. Waits while the editor's mailbox is
 * full: names are found faster than pages are read.
 */
export async function tellOfFiles(agent: Agent<Desk>, files: readonly Found[]): Promise<void> {
  for (const found of files) {
    const { path } = found;
    const params = { path: nameOf(path) };
    if (found.kind === 'page') {
      await agent.publish(topic('file.{path}.found', params), { path }).accepted;
    } else if (found.kind === 'package') {
      await agent.publish(topic('package.{path}.found', params), { path }).accepted;
    } else {
      const { reason } = found;
      agent.publish(topic('folder.{path}.unreadable', params), { path, reason });
    }
  }
}
