import { readdirSync } from 'node:fs';

/** The numbered examples, in their order. */
export function numberedExamples(): string[] {
  return readdirSync('examples')
    .filter((file) => /^\d\d-.+\.ts$/.test(file))
    .sort();
}

/** Where the output that an example must have is kept. */
export function expectedOutput(file: string): string {
  return `examples/expected/${file.replace(/\.ts$/, '.txt')}`;
}

/** From version 24 on, Node reads TypeScript by itself. */
export const readsTypeScript = Number(process.versions.node.split('.')[0]) >= 24;

/** What runs an example from its source. */
export function commandOf(file: string): string[] {
  const loader = readsTypeScript ? [] : ['--import', 'tsx'];
  return [process.execPath, ...loader, `examples/${file}`];
}
