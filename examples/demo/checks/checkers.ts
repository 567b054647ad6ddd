import type { Checker } from '../finding.ts';
import { anchorChecker } from './anchors.ts';
import { headingChecker } from './headings.ts';
import { javascriptChecker } from './javascript.ts';
import { jsonChecker } from './json.ts';
import { linkChecker } from './links.ts';

/** The checkers that look at a page; packages are looked at once for each package.json. */
export const PAGE_CHECKERS: readonly Checker[] = [
  linkChecker,
  anchorChecker,
  jsonChecker,
  javascriptChecker,
  headingChecker,
];
