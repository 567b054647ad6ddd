import { Script } from 'node:vm';
import type { Checker, Finding, Page } from '../finding.ts';
import type { CodeBlock } from '../markdown/lines.ts';
import { readings } from './excerpt.ts';

const LANGUAGES = new Set(['js', 'javascript', 'mjs', 'cjs']);

/** Finds JavaScript blocks that V8 does not compile. It is strict: the verifier knows excerpts. */
export const javascriptChecker: Checker = {
  name: 'javascript',

  async check(page) {
    return page.extract.blocks
      .filter((block) => LANGUAGES.has(block.language))
      .flatMap((block) => checkBlock(page, block));
  },

  async reconsider(finding, objection, library) {
    if (objection.claim === 'dialect') {
      const advice = 'Call the block ts: it is TypeScript.';
      const because = 'what calls itself JavaScript must run as JavaScript';
      return { stands: true, because, finding: { ...finding, advice } };
    }
    if (objection.claim !== 'excerpt') return { stands: false, because: objection.because };
    const text = (await library.extractOf(finding.file))?.blocks.find(
      (block) => subjectOf(block) === finding.subject,
    )?.text;
    const agreed = readings(text ?? '').find((reading) => compileFault(reading.text) === undefined);
    if (agreed !== undefined) return { stands: false, because: `it compiles as ${agreed.name}` };
    return { stands: false, because: `V8 cannot read it, but ${objection.because}` };
  },
};

function checkBlock(page: Page, block: CodeBlock): Finding[] {
  const fault = compileFault(block.text);
  if (fault === undefined) return [];
  return [
    {
      kind: 'bad-javascript',
      file: page.path,
      // V8 tells of a missing end behind the end.
      line: block.line + Math.min(fault.line, block.text.split('\n').length),
      subject: subjectOf(block),
      message: `The block does not compile: ${fault.message}.`,
      advice: 'Mend the block, so that a reader can copy it.',
    },
  ];
}

function subjectOf(block: CodeBlock): string {
  return `${block.language} block of line ${block.line}`;
}

/** What V8 says of a text, as a script and as a module, with the line from 1. */
function compileFault(text: string): { line: number; message: string } | undefined {
  const asScript = tryCompile(text, 0);
  if (asScript === undefined) return undefined;
  // One line before, so that lines in messages stay right; `return` and `await` become legal.
  return tryCompile(`async () => {\n${withoutModuleSyntax(text)}\n}`, -1);
}

function tryCompile(
  text: string,
  lineOffset: number,
): { line: number; message: string } | undefined {
  try {
    new Script(text, { filename: 'block.js', lineOffset });
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) return { line: 1, message: String(error) };
    const line = Number(/^block\.js:(-?\d+)/.exec(error.stack ?? '')?.[1] ?? 1);
    return { line: Math.max(1, line), message: error.message };
  }
}

/**
 * V8 compiles modules behind a flag only, so imports and exports are rewritten to statements of
 * the same number of lines. A rough tool: what it gets wrong, the verifier sends back.
 */
function withoutModuleSyntax(text: string): string {
  return text
    .replace(
      /^([ \t]*)import\b(?!\s*[(.])[^'"`;]*?(?:from\s*)?(['"])[^'"\n]*\2([^;\n]*;)?/gm,
      keepLines,
    )
    .replace(
      /^([ \t]*)export\s*(?:\*[^'"\n]*|\{[^}]*\}\s*(?:from\s*)?)(?:(['"])[^'"\n]*\2)?/gm,
      keepLines,
    )
    .replace(/^([ \t]*)export\s+default\s+(?=(async\s+)?function|class)/gm, '$1void ')
    .replace(/^([ \t]*)export\s+default\s+/gm, '$1void ')
    .replace(/^([ \t]*)export\s+(?=const|let|var|function|class|async)/gm, '$1');
}

function keepLines(found: string): string {
  return found.replace(/[^\n]/g, ' ');
}
