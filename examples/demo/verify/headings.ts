import type { Verify } from '../finding.ts';
import { textWithoutFences } from './raw-text.ts';

const RELEASE = /^[ >]*#{1,6}\s+.*\d+\.\d+|^[ >]*#{1,6}\s.*\d{4}-\d\d/m;

/** Compares the two raw lines, and looks whether a release begins between them. */
export const verifyHeading: Verify = async (finding, library) => {
  const lines = (await textWithoutFences(finding.file, library)).split('\n');
  const twin = Number(/line (\d+)/.exec(finding.message)?.[1] ?? 0);
  const [first, second] = [lines[twin - 1] ?? '', lines[finding.line - 1] ?? ''];
  if (bare(first) !== bare(second) || bare(first) === '') {
    return { agrees: false, claim: 'no-such-fault', because: 'the two lines differ' };
  }
  const between = lines.slice(twin, finding.line - 1).join('\n');
  // Some tools give a patch release the level of its own sections.
  if (RELEASE.test(between) && !RELEASE.test(second)) {
    return { agrees: false, claim: 'generated', because: 'a release begins between the two' };
  }
  return { agrees: true, because: `lines ${twin} and ${finding.line} say the same` };
};

function bare(line: string): string {
  return line
    .replace(/\]\([^)]*\)|\{#[^}]*\}|<[^>]*>/g, '')
    .replace(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase();
}
