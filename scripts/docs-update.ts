// Writes the generated parts of the documents: the diagram of the README, and docs/defaults.md.
import { writeFileSync } from 'node:fs';
import { defaultsPage } from './docs-defaults.ts';
import { readmeWithDiagram } from './docs-diagram.ts';

writeFileSync('README.md', await readmeWithDiagram());
writeFileSync('docs/defaults.md', defaultsPage());
console.log('README.md and docs/defaults.md are up to date');
