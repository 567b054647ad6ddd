import type { Verify } from '../finding.ts';
import { scanJson } from './json-scanner.ts';
import { blockText, isHistory } from './raw-text.ts';

/** Reads the block with a scanner of its own, which knows what authors leave out on purpose. */
export const verifyJson: Verify = async (finding, library) => {
  if (isHistory(finding.file)) {
    return { agrees: false, claim: 'history', because: 'release notes are not corrected' };
  }
  const { needed, faultLine } = scanJson(await blockText(finding, library));
  if (faultLine !== undefined) {
    const first = Number(/line (\d+)$/.exec(finding.subject)?.[1] ?? finding.line);
    return { agrees: true, because: 'the scanner stops too', line: first + 1 + faultLine };
  }
  const excerpt = (['ellipsis', 'members', 'several'] as const).find((name) => needed.has(name));
  if (excerpt !== undefined) return { agrees: false, claim: 'excerpt', because: EXCERPTS[excerpt] };
  if (needed.size === 0) {
    return { agrees: false, claim: 'no-such-fault', because: 'the scanner reads all of it' };
  }
  const because = `it parses, but for: ${[...needed].join(', ')}`;
  return { agrees: false, claim: 'dialect', because };
};

const EXCERPTS = {
  ellipsis: 'an ellipsis says that something is left out',
  members: 'it shows some members of a larger object',
  several: 'it shows several documents, one after the other',
};
