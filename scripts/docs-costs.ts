// Fills the table of costs in README.md after `npm run build`: packages, size, Node versions, messages a second.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipBytes, MESSAGE_BUS } from './bundle-size.ts';

const BEGIN =
  '<!-- costs: measured by `npm run docs:costs`, messages a second after `npm run bench` -->\n';
const END = '<!-- /costs -->';

interface Saved {
  readonly rows: readonly {
    readonly name: string;
    readonly node: string;
    readonly cpus: number;
    readonly results: { readonly tellask?: { readonly median?: number } };
  }[];
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** Packages that `npm install tellask` puts on the disk, itself not counted. */
function packages(): string {
  const lock = readJson('package-lock.json') as {
    readonly packages: Readonly<
      Record<string, { readonly dev?: true; readonly devOptional?: true }>
    >;
  };
  const installed = Object.entries(lock.packages).filter(
    ([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true,
  );
  const { dependencies } = readJson('package.json') as { readonly dependencies: object };
  return `${installed.length}, of them ${Object.keys(dependencies).length} direct`;
}

/** What an import of the bus bundles to, minified and gzipped. */
async function kilobytes(counts: 'own' | 'all'): Promise<string> {
  const bytes = await gzipBytes({ code: MESSAGE_BUS, counts });
  return `${(bytes / 1024).toFixed(1)} KB gzip`;
}

/** Messages a second of a row of the benchmark, whose unit is nanoseconds a message. */
function perSecond(row: string): string {
  const file = 'bench/results.json';
  if (!existsSync(file)) return 'not measured yet: `npm run bench`';
  const found = (readJson(file) as Saved).rows.find(({ name }) => name === row);
  const median = found?.results.tellask?.median;
  if (found === undefined || median === undefined)
    return `not measured yet: \`npm run bench -- ${row}\``;
  const perSecond = Math.round(1e9 / median / 1_000) * 1_000;
  return `${perSecond.toLocaleString('en')} a second (Node ${found.node.replace('v', '')}, ${found.cpus} processors; \`npm run bench -- ${row}\`)`;
}

const { engines } = readJson('package.json') as { readonly engines: { readonly node: string } };
const table = `| | |
|---|---|
| packages installed | ${packages()} |
| \`import { MessageBus }\`, own code | ${await kilobytes('own')} |
| the same with what it imports | ${await kilobytes('all')} |
| Node | ${engines.node} (tests run on 20, 22, 24 and 26), ESM only; TypeScript 5.4 or newer |
| published, admitted, handled by one subscriber | ${perSecond('publish-1')} |
| the same with ten subscribers, each message counted once | ${perSecond('publish-10')} |
| request and answer | ${perSecond('request-1000')} |
`;

const readme = readFileSync('README.md', 'utf8');
const begin = readme.indexOf(BEGIN);
const end = readme.indexOf(END);
if (begin < 0 || end < begin) throw new Error('README.md has no place for the costs');
writeFileSync('README.md', readme.slice(0, begin + BEGIN.length) + table + readme.slice(end));
console.log(table);
