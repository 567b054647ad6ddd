import { type Agent, topic } from 'tellask';
import type { Desk } from '../desk.ts';
import { nameOf } from '../path-name.ts';
import { walkFolder } from '../walk.ts';

/** What the scout came across. */
export interface Tally {
  readonly pages: number;
  readonly packages: number;
}

/** Walks the folder and tells of each file. Every file begins a conversation of its own. */
export async function scoutFolder(agent: Agent<Desk>, root: string): Promise<Tally> {
  const tally = { pages: 0, packages: 0 };
  for await (const found of walkFolder(root)) {
    const { path } = found;
    const params = { path: nameOf(path) };
    if (found.kind === 'page') {
      tally.pages++;
      await tellOfPage(agent, path);
    } else if (found.kind === 'package') {
      tally.packages++;
      agent.publish(topic('package.{path}.found', params), { path });
    } else {
      const { reason } = found;
      agent.publish(topic('folder.{path}.unreadable', params), { path, reason });
    }
  }
  if (tally.pages + tally.packages === 0) throw new Error(`There is no Markdown in ${root}.`);
  return tally;
}

/** Waits for a place in the editor's mailbox: walking a disk is faster than reading it. */
export function tellOfPage(agent: Agent<Desk>, path: string): Promise<void> {
  return agent.publish(topic('file.{path}.found', { path: nameOf(path) }), { path }).accepted;
}
