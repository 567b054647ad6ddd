import { posix } from 'node:path';
import type { Verify } from '../finding.ts';
import { textWithoutFences } from './raw-text.ts';

/** Compares the letters of the anchor with the letters of every line that could be a heading. */
export const verifyAnchor: Verify = async (finding, library) => {
  const [file = '', fragment = ''] = finding.subject.split('#');
  const bare = file.split('?')[0] ?? '';
  const page =
    bare === '' ? finding.file : posix.join(posix.dirname(finding.file), decodeURI(bare));
  const source = await textWithoutFences(finding.file, library);
  if (inContributorList(source, finding.line)) {
    return { agrees: false, claim: 'generated', because: 'the contributor list is made by a tool' };
  }
  if (fragment === 'readme' && /readme\.md$/i.test(page)) {
    return { agrees: false, claim: 'served', because: 'GitHub calls the box of the README so' };
  }
  const text = await textWithoutFences(page, library);
  if (hasName(text, fragment)) {
    return { agrees: false, claim: 'no-such-fault', because: 'an attribute of this name is there' };
  }
  const heading = likelyHeadings(text).find((title) => letters(title) === letters(fragment));
  if (heading === undefined) return { agrees: true, because: 'no heading has these letters' };
  return { agrees: false, claim: 'spelling', because: `there is a heading "${heading.trim()}"` };
};

function inContributorList(text: string, line: number): boolean {
  const before = text.split('\n').slice(0, line).join('\n');
  const opened = before.lastIndexOf('ALL-CONTRIBUTORS-LIST:START');
  return opened > before.lastIndexOf('ALL-CONTRIBUTORS-LIST:END');
}

function hasName(text: string, name: string): boolean {
  const names = text.matchAll(/\b(?:id|name)\s*=\s*["']?([^"'\s>]+)/gi);
  return [...names].some((match) => match[1] === name);
}

function likelyHeadings(text: string): string[] {
  const titles = text.matchAll(
    /^[ >]*#{1,6} +(.*)$|^(.+)\n {0,3}(?:=+|-+) *$|<h[1-6][^>]*>([\s\S]*?)<\/h/gim,
  );
  return [...titles].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function letters(text: string): string {
  return text
    .replace(/!?\[([^\]]*)\]\([^)]*\)|<[^>]*>/g, '$1')
    .normalize()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}
