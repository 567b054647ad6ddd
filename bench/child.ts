// The process of one contender in one row: `node child.js <row file> <row> <contender file>`.
import { fileURLToPath } from 'node:url';
import type { Contender } from './contender.ts';
import type { Row, Sampler } from './row.ts';

/** What a contender's process answers to each question. */
export type Answer =
  | { readonly value: number; readonly note: string | undefined }
  | { readonly error: string };

const [rowFile, rowName, contenderFile] = process.argv.slice(2);

/** A URL, since the compiler would take a path for a wish to bundle whatever may match it. */
const load = (file: string | undefined): Promise<unknown> =>
  import(new URL(`${file}.js`, import.meta.url).href);

async function prepare(): Promise<Sampler> {
  const { rows } = (await load(rowFile)) as { rows: readonly Row[] };
  const { contender } = (await load(contenderFile)) as { contender: Contender };
  const row = rows.find((one) => one.name === rowName);
  if (row === undefined) throw new Error(`no row '${rowName}' in ${rowFile}`);
  return await row.prepare(contender);
}

const root = fileURLToPath(new URL('../../', import.meta.url));

/** One line without the folders of this machine: errors are written to the results. */
function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(root, '').replaceAll(/\s+/g, ' ').slice(0, 160);
}

let preparing: Promise<Sampler> | undefined;

async function answer(): Promise<Answer> {
  try {
    if (preparing === undefined) {
      preparing = prepare();
      await preparing;
      return { value: 0, note: undefined };
    }
    const sampler = await preparing;
    return { value: await sampler.sample(), note: sampler.note?.() };
  } catch (error) {
    return { error: textOf(error) };
  }
}

process.on('message', async () => {
  process.send?.(await answer());
});
