import type { Finding, Library } from '../finding.ts';

// The verifiers read pages with these few expressions and never with the desk's own Markdown
// reader: two methods that share a mistake would agree on it.

const FENCED =
  /^([ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^[ \t>]*\2[`~]*[ \t]*$|$(?![\s\S]))/gm;

/** The page with the code of its fences emptied, line for line. */
export async function textWithoutFences(path: string, library: Library): Promise<string> {
  const text = normalLines((await library.textOf(path)) ?? '');
  return text.replace(FENCED, (block) => block.replace(/[^\n]/g, ''));
}

/** The lines of the block that a finding such as `js block of line 12` speaks of. */
export async function blockText(finding: Finding, library: Library): Promise<string> {
  const first = Number(/line (\d+)$/.exec(finding.subject)?.[1] ?? 0);
  const lines = normalLines((await library.textOf(finding.file)) ?? '').split('\n');
  const [, before = '', mark = '```'] = /^(.*?)(`{3,}|~{3,})/.exec(lines[first - 1] ?? '') ?? [];
  const rest = lines.slice(first);
  const end = rest.findIndex((line) =>
    line
      .replace(/^[\s>]*/, '')
      .trimEnd()
      .startsWith(mark),
  );
  const body = end === -1 ? rest : rest.slice(0, end);
  return body.map((line) => (before.includes('>') ? line.replace(/^[\s>]*/, '') : line)).join('\n');
}

export function normalLines(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
}

/** Whether a file tells of past releases, where code shows what was and is never corrected. */
export function isHistory(path: string): boolean {
  return /(^|\/)(change-?log|changes|history|release-?notes|news)[^/]*$/i.test(path);
}
