import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blocksOf } from '../../scripts/doc-blocks.ts';
import { readmeWithDiagram } from '../../scripts/docs-diagram.ts';

const README = readFileSync('README.md', 'utf8');

describe('README.md', () => {
  it('shows the diagram that the code under it draws (npm run docs:update writes it)', async () => {
    expect(README).toBe(await readmeWithDiagram());
  });

  it('shows the library in at most 20 lines', () => {
    const [first] = blocksOf('README.md', README);

    expect(first?.code.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
  });

  it('says things in the order in which a newcomer asks', () => {
    const order = [
      'in one process',
      '```mermaid',
      '```ts',
      'npm install && npm run demo',
      'When to use something else',
      'What it costs',
      'What is in it',
    ];
    const places = order.map((text) => README.toLowerCase().indexOf(text.toLowerCase()));

    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it('names the command that tests it', () => {
    expect(README).toContain('`npm ci && npm test`');
  });
});
