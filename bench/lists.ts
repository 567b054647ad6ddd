import { readdirSync } from 'node:fs';
import type { Contender } from './contender.ts';
import type { Row } from './row.ts';

/** A row or contender and the name of its compiled file. */
export interface Listed<T> {
  readonly file: string;
  readonly value: T;
}

/** The TypeScript files of a folder of `bench`, sorted, without their ending. */
export function filesOf(folder: string): string[] {
  return readdirSync(new URL(`${folder}/`, import.meta.url))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

/** Every row of every file in `rows/`. */
export async function listRows(): Promise<Listed<Row>[]> {
  const lists = filesOf('rows').map(async (name) => {
    const { rows } = (await import(`./rows/${name}.ts`)) as { rows: readonly Row[] };
    return rows.map((value) => ({ file: `rows-${name}`, value }));
  });
  return (await Promise.all(lists)).flat();
}

/** Every contender in `contenders/`, tellask first. */
export async function listContenders(): Promise<Listed<Contender>[]> {
  const list = filesOf('contenders').map(async (name) => {
    const module = (await import(`./contenders/${name}.ts`)) as { contender: Contender };
    return { file: `contenders-${name}`, value: module.contender };
  });
  const rank = ({ value }: Listed<Contender>): number => (value.name === 'tellask' ? 0 : 1);
  return (await Promise.all(list)).sort((a, b) => rank(a) - rank(b));
}
