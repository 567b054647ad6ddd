import { posix } from 'node:path';
import type { Checker, Finding, Library, Package, Page } from '../finding.ts';
import type { Link } from '../markdown/links.ts';
import { linkTarget } from './link-target.ts';

type Where = Pick<Finding, 'file' | 'line' | 'subject'>;

// A first folder that ends like a domain, or a scheme that something stands before.
const WEB_ADDRESS = /^[^a-z]https?:|^www\.|^[a-z\d-]+(\.[a-z\d-]+)*\.[a-z]{2,}\//i;

/** Finds relative links that lead to no file. */
export const linkChecker: Checker = {
  name: 'links',

  async check(page, library) {
    const home = await library.packageOf(page.path);
    const findings: Finding[] = [];
    for (const link of page.extract.links) {
      const finding = await checkLink(page, link, home, library);
      if (finding !== undefined) findings.push(finding);
    }
    return findings;
  },

  async reconsider(finding, objection, library) {
    const served = await servedFile(finding, library);
    if (served !== undefined) return { stands: false, because: `${served} is there` };
    return { stands: false, because: objection.because };
  },
};

async function checkLink(
  page: Page,
  link: Link,
  home: Package | undefined,
  library: Library,
): Promise<Finding | undefined> {
  const target = linkTarget(page.path, link.target);
  if (target === undefined || target.samePage) return undefined;
  const path = target.rooted ? posix.join(home?.folder ?? '', target.path) : target.path;
  const leaves = home?.installed === true && leavesFolder(path, home.folder);
  if (!leaves && (await library.kindOf(path)) !== undefined) return undefined;
  if (target.rooted && (await library.kindOf(target.path)) !== undefined) return undefined;
  const where = { file: page.path, line: link.line, subject: link.target };
  if (WEB_ADDRESS.test(link.target)) return webAddress(where);
  const similar = await similarName(path, library);
  const elsewhere = home?.installed === true && home.repository;
  if (elsewhere && (leaves || similar === undefined)) return unshipped(where, path, home);
  const what = link.kind === 'image' ? 'The picture' : 'The link';
  return {
    kind: 'broken-link',
    ...where,
    message: `${what} leads to ${path}, and there is no such file.`,
    advice: similar === undefined ? 'Correct the target, or add the file.' : `Write ${similar}.`,
  };
}

function webAddress(where: Where): Finding {
  return {
    kind: 'broken-link',
    ...where,
    message: 'The link is a web address that is not written as one, so it leads to no file.',
    advice: 'Write it with https:// and without brackets around it.',
  };
}

function unshipped(where: Where, path: string, home: Package): Finding {
  return {
    kind: 'unshipped-link',
    ...where,
    message: `The link leads to ${path}, which ${home.name} does not ship.`,
    advice: 'Link to its address on the web, or add the file to "files" in package.json.',
  };
}

function leavesFolder(path: string, folder: string): boolean {
  return folder !== '' && path !== folder && !path.startsWith(`${folder}/`);
}

/** A name in the same folder that differs in case or lacks `.md` only. */
async function similarName(path: string, library: Library): Promise<string | undefined> {
  const wanted = posix.basename(path).toLowerCase();
  const names = await library.namesIn(posix.dirname(path));
  return names.find((name) => [wanted, `${wanted}.md`].includes(name.toLowerCase()));
}

/** The source of a page that a site generator serves: `guide`, `guide/` and `guide.html`. */
async function servedFile(finding: Finding, library: Library): Promise<string | undefined> {
  const path = linkTarget(finding.file, finding.subject)?.path.replace(/\/$|\.html?$/, '');
  if (path === undefined) return undefined;
  for (const candidate of [`${path}.md`, `${path}.mdx`, `${path}/index.md`, `${path}/README.md`]) {
    if ((await library.kindOf(candidate)) === 'file') return candidate;
  }
  return undefined;
}
