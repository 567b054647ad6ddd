import type { FindingKind, Verify } from '../finding.ts';
import { verifyAnchor } from './anchors.ts';
import { verifyHeading } from './headings.ts';
import { verifyJavaScript } from './javascript.ts';
import { verifyJson } from './json.ts';
import { verifyLink } from './links.ts';
import { verifyPackage } from './packages.ts';

const METHODS: Readonly<Record<FindingKind, Verify>> = {
  'broken-link': verifyLink,
  'unshipped-link': verifyLink,
  'broken-anchor': verifyAnchor,
  'bad-json': verifyJson,
  'bad-javascript': verifyJavaScript,
  'duplicate-heading': verifyHeading,
  'missing-readme': verifyPackage,
  'missing-license': verifyPackage,
};

/**
 * Looks at a finding by a second method: other code reads the page, the folders and the blocks.
 * What both sides share is the list of excerpts in `checks/excerpt.ts` and who owns a file.
 */
export const verify: Verify = (finding, library) => METHODS[finding.kind](finding, library);
