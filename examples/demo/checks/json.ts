import type { Checker, Finding, Page } from '../finding.ts';
import type { CodeBlock } from '../markdown/lines.ts';

/** Finds blocks that call themselves `json` and do not parse. `jsonc` and `json5` are not JSON. */
export const jsonChecker: Checker = {
  name: 'json',

  async check(page) {
    return page.extract.blocks
      .filter((block) => block.language === 'json' && block.text.trim() !== '')
      .flatMap((block) => checkBlock(page, block));
  },

  async reconsider(finding, objection) {
    if (objection.claim === 'dialect') {
      const sister = objection.because.includes('quotes') ? 'json5' : 'jsonc';
      const advice = `Call the block ${sister}, or write it as strict JSON.`;
      const because = 'a reader who copies it gets an error, and GitHub paints it red';
      return { stands: true, because, finding: { ...finding, advice } };
    }
    return { stands: false, because: objection.because };
  },
};

function checkBlock(page: Page, block: CodeBlock): Finding[] {
  const fault = jsonFault(block.text);
  if (fault === undefined) return [];
  return [
    {
      kind: 'bad-json',
      file: page.path,
      line: block.line + 1 + fault.line,
      subject: `json block of line ${block.line}`,
      message: `The block does not parse: ${fault.message}.`,
      advice: 'Mend the block, so that a reader can copy it.',
    },
  ];
}

/** What JSON.parse says, with the line inside of the text, from 0, where Node tells a position. */
function jsonFault(text: string): { line: number; message: string } | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error);
    const position = Number(/position (\d+)/.exec(message)?.[1] ?? 0);
    return { line: text.slice(0, position).split('\n').length - 1, message };
  }
}
