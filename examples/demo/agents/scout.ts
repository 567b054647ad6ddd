import { type Agent, topic } from 'tellask';
import type { Desk } from '../desk.ts';
import { walkFolder } from '../walk.ts';

/** What the scout came across. */
export interface Tally {
  readonly pages: number;
  readonly packages: number;
}

/** Walks the folder and tells of each file. Every file begins a conversation of its own. */
export async function scoutFolder(agent: Agent<Desk>, root: string): Promise<Tally> {
  let pages = 0;
  let packages = 0;
  for await (const found of walkFolder(root)) {
    const { path } = found;
    if (found.kind === 'page') {
      pages++;
      agent.publish(topic('file.{path}.found', { path }), { path });
    } else if (found.kind === 'package') {
      packages++;
      agent.publish(topic('package.{path}.found', { path }), { path });
    } else {
      agent.publish(topic('folder.{path}.unreadable', { path }), { path, reason: found.reason });
    }
  }
  if (pages + packages === 0) throw new Error(`There is no Markdown in ${root}.`);
  return { pages, packages };
}
