import type { Checker, Finding } from '../finding.ts';
import type { Heading } from '../markdown/headings.ts';

/**
 * Finds headings that stand twice under the same parent. Under different parents they are normal:
 * every release of a change log has its `Fixed`.
 */
export const headingChecker: Checker = {
  name: 'headings',

  async check(page) {
    const first = new Map<string, Heading>();
    const findings: Finding[] = [];
    for (const { heading, parents } of withParents(page.extract.headings)) {
      const key = JSON.stringify([heading.level, heading.text.toLowerCase(), parents]);
      const twin = first.get(key);
      if (twin === undefined) first.set(key, heading);
      else if (heading.text !== '') findings.push(duplicate(page.path, heading, twin));
    }
    return findings;
  },

  async reconsider(_finding, objection) {
    return { stands: false, because: objection.because };
  },
};

function duplicate(file: string, heading: Heading, twin: Heading): Finding {
  return {
    kind: 'duplicate-heading',
    file,
    line: heading.line,
    subject: heading.text,
    message: `The heading stands at line ${twin.line} already, under the same parent.`,
    advice: `Name it apart: links to #${twin.slug} reach the first one only.`,
  };
}

function* withParents(
  headings: readonly Heading[],
): Generator<{ heading: Heading; parents: number[] }> {
  const open: Heading[] = [];
  for (const heading of headings) {
    while ((open.at(-1)?.level ?? 0) >= heading.level) open.pop();
    yield { heading, parents: open.map((parent) => parent.line) };
    open.push(heading);
  }
}
