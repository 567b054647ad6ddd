import { posix } from 'node:path';
import type { Library, Verify } from '../finding.ts';

const LICENSE_TEXT =
  /permission is hereby granted|redistribution and use in source|apache license\s+version|permission to use, copy, modify/i;

/** Searches all of the package's folders for such a name, and the README for the text itself. */
export const verifyPackage: Verify = async (finding, library) => {
  const folder = posix.dirname(finding.file);
  const wanted = finding.kind === 'missing-readme' ? /readme/i : /licen[cs]e|copying/i;
  const elsewhere = await findName(folder, wanted, library);
  if (elsewhere !== undefined) {
    return { agrees: false, claim: 'served', because: `${elsewhere} is there` };
  }
  if (finding.kind === 'missing-license' && (await readmeHasLicense(folder, library))) {
    return { agrees: false, claim: 'served', because: 'the README holds the text' };
  }
  return { agrees: true, because: 'no name in the package fits' };
};

async function findName(
  folder: string,
  wanted: RegExp,
  library: Library,
): Promise<string | undefined> {
  for (const place of ['', 'docs', 'doc', '.github', 'dist']) {
    const names = await library.namesIn(posix.join(folder, place));
    const found = names.find(
      (name) => wanted.test(name) && /^[^.]+(\.(md|txt|html|rst))?$/i.test(name),
    );
    if (found !== undefined) return posix.join(folder, place, found);
  }
  return undefined;
}

async function readmeHasLicense(folder: string, library: Library): Promise<boolean> {
  const names = (await library.namesIn(folder)).filter((name) => /readme/i.test(name));
  const texts = await Promise.all(names.map((name) => library.textOf(posix.join(folder, name))));
  return texts.some((text) => LICENSE_TEXT.test(text ?? ''));
}
