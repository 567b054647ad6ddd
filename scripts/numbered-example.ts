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

/** What runs an example: from version 24 on, Node reads TypeScript by itself. */
export function commandOf(file: string): string[] {
  const major = Number(process.versions.node.split('.')[0]);
  const loader = major >= 24 ? [] : ['--import', 'tsx'];
  return [process.execPath, ...loader, `examples/${file}`];
}
