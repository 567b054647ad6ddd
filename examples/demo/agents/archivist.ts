import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Agent } from 'tellask';
import type { Desk } from '../desk.ts';

/** Knows what is in the folder, lists the reports in it, and puts back what was there. */
export function makeArchivist(agent: Agent<Desk>, folder: string): void {
  const pathOf = (name: string) => join(folder, name);
  agent.serve('files.keep', async ({ payload: names }) => {
    const kept = names.map(async (name) => [name, await textOf(pathOf(name))] as const);
    return Object.fromEntries(await Promise.all(kept));
  });
  agent.serve('files.restore', async ({ payload: kept }) => {
    for (const [name, text] of Object.entries(kept)) {
      if (text === null) await rm(pathOf(name), { force: true });
      else await writeFile(pathOf(name), text);
    }
    return true;
  });
  agent.serve('index.add', async ({ payload: { title, findings } }) => {
    const entry = `- [${title.replace(/[\\[\]<>]/g, '\\$&')}](report.md): ${findings} findings`;
    await writeFile(pathOf('index.md'), `# Reports\n\n${entry}\n`);
    return true;
  });
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
