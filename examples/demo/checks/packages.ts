import { posix } from 'node:path';
import type { Checker, Finding, Library, Package } from '../finding.ts';

const LICENSE_NAME =
  /^(un)?licen[cs]es?([-._].*)?$|^(mit|bsd|apache|isc)?-?licen[cs]e|^copying|^copyright/i;

// Packages that exist to be tested with are not meant to be read.
const FIXTURE = /(^|\/)(tests?|__tests__|fixtures?|__fixtures__)(\/|$)/;

/** Finds packages that come without a README or without the text of their licence. */
export const packageChecker: Checker = {
  name: 'packages',

  async check(page, library) {
    const pack = await library.packageOf(page.path);
    // A package.json without a name, or deep inside an installed package, makes no package.
    const isPackage = pack?.folder === posix.dirname(page.path).replace(/^\.$/, '');
    return isPackage ? checkPackage(pack, library) : [];
  },

  async reconsider(_finding, objection) {
    return { stands: false, because: objection.because };
  },
};

async function checkPackage(pack: Package, library: Library): Promise<Finding[]> {
  if (pack.private || FIXTURE.test(pack.folder)) return [];
  const names = await library.namesIn(pack.folder === '' ? '.' : pack.folder);
  const findings: Finding[] = [];
  if (!names.some((name) => /^readme([-._].*)?$/i.test(name))) findings.push(missingReadme(pack));
  if (!names.some((name) => LICENSE_NAME.test(name))) findings.push(missingLicense(pack));
  return findings;
}

function missingReadme(pack: Package): Finding {
  return {
    ...placeOf(pack),
    kind: 'missing-readme',
    message: `${pack.name} has no README.`,
    advice: 'Add a README.md that says what the package is for.',
  };
}

function missingLicense(pack: Package): Finding {
  return {
    ...placeOf(pack),
    kind: 'missing-license',
    message: `${pack.name} has no licence text.`,
    advice: 'Add the text as LICENSE: most licences ask that it travels with every copy.',
  };
}

function placeOf(pack: Package): Pick<Finding, 'file' | 'line' | 'subject'> {
  return { file: posix.join(pack.folder, 'package.json'), line: 1, subject: pack.name };
}
