import { posix } from 'node:path';
import type { Library, Verify } from '../finding.ts';
import { normalLines } from './raw-text.ts';

// On GitHub `../../issues` in a README leads to the issues of its repository.
const GITHUB_PAGE =
  /^(\.\.\/){2,}(issues|pulls?|releases|wiki|actions|discussions|tags|tree|blob|raw|commits?|compare|graphs|milestones?|labels|projects|security|stargazers|network)(\/|$|\?)/;

/** Looks for the link with plain text search, and for its file name by name from folder to folder. */
export const verifyLink: Verify = async (finding, library) => {
  const line = normalLines((await library.textOf(finding.file)) ?? '').split('\n')[
    finding.line - 1
  ];
  if (!withoutEscapes(line ?? '').includes(finding.subject)) {
    return { agrees: false, claim: 'no-such-fault', because: 'the line does not hold this target' };
  }
  if (GITHUB_PAGE.test(finding.subject)) {
    return {
      agrees: false,
      claim: 'served',
      because: 'GitHub serves a page of the repository there',
    };
  }
  const path = pathOf(finding.file, finding.subject);
  if (finding.kind === 'unshipped-link' && (await leavesPackage(finding.file, path, library))) {
    return { agrees: true, because: 'the path leaves the package' };
  }
  const found = await walk(path, library);
  if (found) return { agrees: false, claim: 'no-such-fault', because: `the folders list ${path}` };
  const served = await servedPage(finding.file, path, library);
  if (served !== undefined) {
    return { agrees: false, claim: 'served', because: `a site serves ${served} there` };
  }
  return { agrees: true, because: 'no folder on the way lists it' };
};

/** The page that a site generator serves under that path; registries and READMEs have none. */
async function servedPage(
  file: string,
  path: string,
  library: Library,
): Promise<string | undefined> {
  const pack = await library.packageOf(file);
  if (pack?.installed || /readme\.md$/i.test(file)) return undefined;
  const stem = path.replace(/\.html?$/, '');
  for (const name of [`${stem}.md`, `${stem}.mdx`, `${stem}/index.md`, `${stem}/README.md`]) {
    if (await walk(name, library)) return name;
  }
  return undefined;
}

function withoutEscapes(line: string): string {
  return line.replace(/\\([!-/:-@[-`{-~])/g, '$1').replaceAll('&amp;', '&');
}

function pathOf(file: string, target: string): string {
  const bare = target.split(/[?#]/)[0] ?? '';
  const decoded = bare.replace(/(%[\da-f]{2})+/gi, (bytes) =>
    Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
  return posix.join(posix.dirname(file), decoded).replace(/\/$/, '');
}

async function leavesPackage(file: string, path: string, library: Library): Promise<boolean> {
  const folder = (await library.packageOf(file))?.folder ?? '';
  return posix.relative(folder, path).startsWith('..');
}

/** Whether every folder on the way lists the next name, to the letter. */
async function walk(path: string, library: Library): Promise<boolean> {
  let folder = '.';
  for (const name of path.split('/')) {
    const listed = name === '.' || name === '..' || (await library.namesIn(folder)).includes(name);
    if (!listed) return false;
    folder = posix.join(folder, name);
  }
  return true;
}
