import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { withoutComments } from './sources.ts';

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** What the committed API report says that an entry exports. */
function reported(entry: string): string[] {
  const found = read(`etc/${entry}.api.md`).matchAll(
    /^export (?:abstract )?(?:class|function|const|interface|type) (\w+)/gm,
  );
  return [...new Set([...found].map((match) => match[1] as string))].toSorted();
}

/** The names in the export lists of an entry's source: values and types. */
function written(entry: string): { values: string[]; types: string[] } {
  const values: string[] = [];
  const types: string[] = [];
  const code = withoutComments(read(`src/${entry}.ts`));
  for (const [, typed, list] of code.matchAll(/export (type )?\{([^}]*)\}/g)) {
    const items = (list as string).split(',').map((item) => item.trim());
    for (const item of items.filter((text) => text !== '')) {
      const isType = typed !== undefined || item.startsWith('type ');
      (isType ? types : values).push(item.replace(/^type /, ''));
    }
  }
  return { values: values.toSorted(), types };
}

describe.each(['index', 'agents', 'testing'])('the entry %s', (entry) => {
  it('exports what its API report says, types included', () => {
    const { values, types } = written(entry);

    expect([...values, ...types].toSorted()).toEqual(reported(entry));
  });

  it('gives at run time the values that it lists, and nothing else', async () => {
    const library = (await import(`../../src/${entry}.ts`)) as object;

    expect(Object.keys(library).toSorted()).toEqual(written(entry).values);
  });

  it('has no default export and passes no whole module on', () => {
    const code = withoutComments(read(`src/${entry}.ts`));

    expect(code).not.toMatch(/export default|export \*/);
  });
});
