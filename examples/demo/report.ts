import { FINDING_KINDS, type Finding, type FindingKind } from './finding.ts';
import { withoutControls } from './plain-text.ts';

/** What a report is made of. */
export interface Audit {
  /** What was audited, as the reader knows it. */
  readonly title: string;
  readonly pages: number;
  readonly packages: number;
  readonly findings: readonly Finding[];
  /** Findings on which checker and verifier did not agree. */
  readonly disputed: readonly Finding[];
  /** How many findings a checker took back after the verifier had objected. */
  readonly withdrawn: number;
  /** Files that nobody could read, with the reason. */
  readonly unread: readonly { readonly path: string; readonly reason: string }[];
}

const KINDS = Object.keys(FINDING_KINDS) as FindingKind[];

/** The report as Markdown, line by line: what to mend first, then file by file. */
export function linesOf(audit: Audit): string[] {
  const faults = audit.findings.filter((finding) => weightOf(finding) === 'fault');
  const notices = audit.findings.filter((finding) => weightOf(finding) === 'notice');
  const parts = [
    `# Documentation audit of ${text(audit.title)}`,
    opening(audit, faults.length, notices.length),
    summaryTable(audit.findings),
    section('Faults', faults),
    section('Notices', notices),
    section('Disputed', audit.disputed),
    unreadSection(audit),
  ];
  const report = parts.filter((part) => part !== '').join('\n\n');
  return report.split('\n').map((line) => `${line}\n`);
}

/** What to do first, in one sentence. */
export function leadOf({ findings }: Audit): string {
  const first = findings.find((finding) => weightOf(finding) === 'fault') ?? findings[0];
  return first === undefined ? 'Nothing is to be mended.' : `Begin with ${first.file}.`;
}

/** How many words a line has: what the writer's budget counts. */
export function countWords(line: string): number {
  return line.split(/\s+/).filter((word) => word !== '').length;
}

/** How many findings there are of every kind that occurs. */
export function countKinds(findings: readonly Finding[]): Map<FindingKind, number> {
  const counts = new Map<FindingKind, number>();
  for (const kind of KINDS) {
    const count = findings.filter((finding) => finding.kind === kind).length;
    if (count > 0) counts.set(kind, count);
  }
  return counts;
}

function weightOf(finding: Finding): 'fault' | 'notice' {
  return FINDING_KINDS[finding.kind].weight;
}

function opening(audit: Audit, faults: number, notices: number): string {
  const read = `${count(audit.pages, 'page')} and ${count(audit.packages, 'package')} were read.`;
  if (audit.findings.length === 0) return `${read} Nothing is to be mended.`;
  const checked = `Each finding was confirmed by a second method; ${audit.withdrawn} false ones were withdrawn on the way.`;
  return `${read} ${count(faults, 'fault')} should be mended; ${count(notices, 'notice')} are worth a look. ${checked}`;
}

function summaryTable(findings: readonly Finding[]): string {
  if (findings.length === 0) return '';
  const rows = [...countKinds(findings)].map(([kind, number]) => {
    const files = new Set(findings.filter((f) => f.kind === kind).map((f) => f.file)).size;
    return `| ${FINDING_KINDS[kind].title} | ${number} | ${files} |`;
  });
  return ['| what | findings | files |', '|---|---:|---:|', ...rows].join('\n');
}

function section(title: string, findings: readonly Finding[]): string {
  if (findings.length === 0) return '';
  const files = [...groupBy(findings, (finding) => finding.file)];
  files.sort(([a], [b]) => (a < b ? -1 : 1));
  return [`## ${title}`, ...files.map(([file, found]) => fileSection(file, found))].join('\n\n');
}

/** One line for each finding; what has the same advice is said once. */
function fileSection(file: string, findings: readonly Finding[]): string {
  const groups = groupBy(findings, (finding) => `${finding.kind} ${finding.advice}`);
  const lines = [...groups.values()].flatMap((group) => [
    ...group.sort((a, b) => a.line - b.line).map(findingLine),
    `  - To do: ${text(group[0]?.advice ?? '')}`,
  ]);
  return `### ${text(file)}\n\n${lines.join('\n')}`;
}

function findingLine(finding: Finding): string {
  return `- ${code(`${finding.file}:${finding.line}`)} ${code(finding.subject)} ${text(finding.message)}`;
}

function unreadSection({ unread }: Audit): string {
  if (unread.length === 0) return '';
  const lines = unread.map(({ path, reason }) => `- ${code(path)} ${text(reason)}`);
  return `## Not read\n\n${lines.join('\n')}`;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Foreign text must not become markup: names of files and headings come from anywhere. */
function text(value: string): string {
  return withoutControls(value.replace(/\s+/g, ' ')).replace(/[\\`*_[\]<>|#]/g, '\\$&');
}

/** A code span that holds its text, whatever backticks are in it. */
function code(value: string): string {
  const line = withoutControls(value.replace(/\s+/g, ' '));
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${line}${fence}` : `${fence} ${line} ${fence}`;
}
