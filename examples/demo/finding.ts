import type { Extract } from './markdown/extract.ts';

/** Everything that the desk can find, with its title and what it costs the reader. */
export const FINDING_KINDS = {
  'broken-link': { title: 'Broken relative links', weight: 'fault' },
  'broken-anchor': { title: 'Broken anchors', weight: 'fault' },
  'bad-json': { title: 'JSON that does not parse', weight: 'fault' },
  'bad-javascript': { title: 'JavaScript that does not compile', weight: 'fault' },
  'duplicate-heading': { title: 'Duplicate headings', weight: 'notice' },
  'unshipped-link': { title: 'Links to files that the package does not ship', weight: 'notice' },
  'missing-readme': { title: 'Packages without a README', weight: 'fault' },
  'missing-license': { title: 'Packages without a licence text', weight: 'fault' },
} as const;

export type FindingKind = keyof typeof FINDING_KINDS;

/** One thing to mend. */
export interface Finding {
  readonly kind: FindingKind;
  /** Relative to the audited folder, with forward slashes. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** What is at fault, short: the target of a link, a heading, `js block of line 12`. */
  readonly subject: string;
  readonly message: string;
  readonly advice: string;
}

/** A page that was read. `path` is relative to the audited folder, with forward slashes. */
export interface Page {
  readonly path: string;
  readonly text: string;
  readonly extract: Extract;
}

/** The package that a file belongs to: the folder of the nearest package.json that has a name. */
export interface Package {
  /** Relative to the audited folder; '' when it is that folder itself. */
  readonly folder: string;
  readonly name: string;
  /** Whether it lies in a node_modules folder: then we see what was published, not the sources. */
  readonly installed: boolean;
  /** Whether it names a repository, where files may be that were not published. */
  readonly repository: boolean;
  readonly private: boolean;
}

/** What checkers and verifiers may look at. Paths are relative to the audited folder. */
export interface Library {
  kindOf(path: string): Promise<'file' | 'folder' | undefined>;
  /** The names in a folder; none when it cannot be read. */
  namesIn(folder: string): Promise<readonly string[]>;
  /** The text of a file; undefined when it cannot be read. */
  textOf(path: string): Promise<string | undefined>;
  extractOf(path: string): Promise<Extract | undefined>;
  packageOf(path: string): Promise<Package | undefined>;
}

/**
 * Why a verifier thinks that a finding is false:
 * `no-such-fault` its own method sees no fault; `served` a site or GitHub serves the target under
 * that name; `excerpt` the code is left incomplete on purpose; `dialect` it is right in a sister
 * language (JSON with comments, TypeScript); `spelling` the target is there, written otherwise;
 * `generated` a tool wrote it, nobody edits it; `history` it is in the notes of a past release.
 */
export type Claim =
  | 'no-such-fault'
  | 'served'
  | 'excerpt'
  | 'dialect'
  | 'spelling'
  | 'generated'
  | 'history';

/** What a verifier says of a finding after it looked by its own method. */
export type Verdict =
  | { readonly agrees: true; readonly because: string; readonly line?: number }
  | { readonly agrees: false; readonly claim: Claim; readonly because: string };

export type Objection = Exclude<Verdict, { readonly agrees: true }>;

/** Looks at a finding by another method than the checker that made it. */
export type Verify = (finding: Finding, library: Library) => Promise<Verdict>;

/** What a checker answers to an objection: it withdraws, or it confirms, with what it saw. */
export type Answer =
  | { readonly stands: false; readonly because: string }
  | { readonly stands: true; readonly because: string; readonly finding: Finding };

/** Finds one sort of fault in a page, and looks again when the verifier objects. */
export interface Checker {
  readonly name: string;
  check(page: Page, library: Library): Promise<readonly Finding[]>;
  reconsider(finding: Finding, objection: Objection, library: Library): Promise<Answer>;
}
