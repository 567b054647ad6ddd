import type { Checker, Finding, Library, Page } from '../finding.ts';
import type { Extract } from '../markdown/extract.ts';
import type { Link } from '../markdown/links.ts';
import { linkTarget } from './link-target.ts';

/** Finds links to headings and names that their page does not have. */
export const anchorChecker: Checker = {
  name: 'anchors',

  async check(page, library) {
    const findings: Finding[] = [];
    for (const link of page.extract.links) {
      const finding = await checkAnchor(page, link, library);
      if (finding !== undefined) findings.push(finding);
    }
    return findings;
  },

  async reconsider(finding, objection, library) {
    const target = linkTarget(finding.file, finding.subject);
    const extract = target === undefined ? undefined : await library.extractOf(target.path);
    const meant = extract?.headings.find(
      (heading) => lettersOf(heading.slug) === lettersOf(target?.fragment ?? ''),
    );
    if (objection.claim !== 'spelling' || meant === undefined) {
      return { stands: false, because: objection.because };
    }
    const because = `the anchor of line ${meant.line} is #${meant.slug}, to the letter`;
    return { stands: true, because, finding: { ...finding, advice: `Write #${meant.slug}.` } };
  },
};

async function checkAnchor(page: Page, link: Link, library: Library): Promise<Finding | undefined> {
  const target = linkTarget(page.path, link.target);
  if (target?.fragment === undefined || target.rooted || isBrowserFragment(target.fragment)) {
    return undefined;
  }
  if (!/\.(md|markdown)$/i.test(target.path)) return undefined;
  const extract = target.samePage ? page.extract : await library.extractOf(target.path);
  // A page that is not there is the business of the link checker.
  if (extract === undefined || hasAnchor(extract, target.fragment)) return undefined;
  return {
    kind: 'broken-anchor',
    file: page.path,
    line: link.line,
    subject: link.target,
    message: `${target.samePage ? 'This page' : target.path} has no anchor #${target.fragment}.`,
    advice: nearestAnchor(extract, target.fragment) ?? 'Correct the anchor, or add the heading.',
  };
}

/** Fragments that browsers and GitHub understand without any anchor. */
function isBrowserFragment(fragment: string): boolean {
  return fragment === '' || fragment === 'top' || /^:~:text=|^L\d+(-L\d+)?$|^[!/]/.test(fragment);
}

function hasAnchor({ headings, anchors }: Extract, fragment: string): boolean {
  const name = fragment.replace(/^user-content-/, '');
  return (
    headings.some((heading) => heading.slug === name) ||
    anchors.some((anchor) => anchor.name === name)
  );
}

/** The anchor with the most words in common, if it shares at least half of them. */
function nearestAnchor({ headings }: Extract, fragment: string): string | undefined {
  const wanted = wordsOf(fragment);
  let best = { slug: '', share: 0.49 };
  for (const { slug } of headings) {
    const words = wordsOf(slug);
    const common = [...words].filter((word) => wanted.has(word)).length;
    const share = common / Math.max(words.size, wanted.size);
    if (share > best.share) best = { slug, share };
  }
  return best.slug === '' ? undefined : `Did you mean #${best.slug}?`;
}

function lettersOf(slug: string): string {
  return slug.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

function wordsOf(slug: string): Set<string> {
  return new Set(
    slug
      .toLowerCase()
      .split(/[-_.]+/)
      .filter(Boolean),
  );
}
