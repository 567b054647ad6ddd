import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { againstSources, blocksOf } from './doc-blocks.ts';

const BEGIN = '<!-- diagram: made by the code under it with `npm run docs:update` -->\n';
const END = '<!-- /diagram -->';

/** Runs the first block of the README, which draws itself, and puts its drawing above it. */
export async function readmeWithDiagram(): Promise<string> {
  const readme = readFileSync('README.md', 'utf8');
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('README.md has no place for the diagram');
  const head = readme.slice(0, begin + BEGIN.length);
  return `${head}\`\`\`mermaid\n${await drawing(readme)}\`\`\`\n${readme.slice(end)}`;
}

async function drawing(readme: string): Promise<string> {
  const printed = await run(blocksOf('README.md', readme)[0]?.code ?? '');
  const diagram = printed.find((text) => text.startsWith('sequenceDiagram'));
  if (diagram === undefined) throw new Error('The first block of README.md prints no diagram');
  return diagram;
}

async function run(code: string): Promise<string[]> {
  const folder = resolve('temp/readme');
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/first.ts`, againstSources(code, resolve('.')));
  const printed: string[] = [];
  const { log } = console;
  console.log = (text: unknown) => void printed.push(String(text));
  try {
    await import(/* @vite-ignore */ `${folder}/first.ts`);
  } finally {
    console.log = log;
  }
  return printed;
}
