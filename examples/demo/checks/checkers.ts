import type { Checker, FindingKind } from '../finding.ts';
import { anchorChecker } from './anchors.ts';
import { headingChecker } from './headings.ts';
import { javascriptChecker } from './javascript.ts';
import { jsonChecker } from './json.ts';
import { linkChecker } from './links.ts';
import { packageChecker } from './packages.ts';

/** The checkers that look at a page; packages are looked at once for each package.json. */
export const PAGE_CHECKERS: readonly Checker[] = [
  linkChecker,
  anchorChecker,
  jsonChecker,
  javascriptChecker,
  headingChecker,
];

/** Who answers for a kind of finding. */
export const CHECKER_OF: Readonly<Record<FindingKind, Checker>> = {
  'broken-link': linkChecker,
  'unshipped-link': linkChecker,
  'broken-anchor': anchorChecker,
  'bad-json': jsonChecker,
  'bad-javascript': javascriptChecker,
  'duplicate-heading': headingChecker,
  'missing-readme': packageChecker,
  'missing-license': packageChecker,
};
