import type { Agent } from 'tellask';
import type { Desk } from '../desk.ts';
import { extract } from '../markdown/extract.ts';
import type { ReadPage } from '../read-page.ts';

/** Serves `extract`. Several readers share the work: each request goes to the least busy one. */
export function makeReader(agent: Agent<Desk>, readPage: ReadPage): void {
  agent.serve('extract', async (request, context) => {
    const { path } = request.payload;
    const text = await readPage(path, context.signal);
    return { path, text, extract: extract(text) };
  });
}
