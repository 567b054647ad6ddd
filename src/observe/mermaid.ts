import type { RecordedMessage } from './recorder.ts';

const LONGEST_LABEL = 120;

/** Options of {@link toMermaid}. */
export interface MermaidOptions {
  readonly title?: string;
  /** Messages drawn; a note says how many more there were. @default 200 */
  readonly maxMessages?: number;
}

/**
 * Draws recorded messages as a Mermaid sequence diagram: agents in order of appearance, `->>` for
 * what was told, `-->>` for replies, and a note for every outcome other than `handled`. The same
 * entries give the same text, and no name or topic can break the diagram.
 *
 * @example
 * ```ts
 * import { MessageBus, Recorder, toMermaid } from 'tellask';
 * const bus = new MessageBus();
 * const recorder = new Recorder();
 * bus.tap('**', recorder.observe);
 * bus.register('ann').subscribe('tea.ready', () => {});
 * bus.register('bob').publish('tea.ready', {});
 * await bus.drain();
 * toMermaid(recorder.entries()).split('\n').at(-2)?.trim(); // => 'p1->>p2: tea.ready'
 * ```
 */
export function toMermaid(
  entries: readonly RecordedMessage[],
  options: MermaidOptions = {},
): string {
  const { title, maxMessages = 200 } = options;
  const drawn = entries.slice(0, maxMessages);
  const aliases = aliasesOf(drawn);
  const lines = ['sequenceDiagram'];
  if (title !== undefined) lines.push(`  title ${mermaidLabel(title)}`);
  for (const [name, alias] of aliases)
    lines.push(`  participant ${alias} as ${mermaidLabel(name)}`);
  for (const entry of drawn) lines.push(...draw(entry, aliases));
  const left = entries.length - drawn.length;
  if (left > 0 && drawn.length > 0) lines.push(`  Note over p1: ${left} more messages`);
  return `${lines.join('\n')}\n`;
}

/** A name is anybody's text; `p1`, `p2` … are ours. */
function aliasesOf(entries: readonly RecordedMessage[]): Map<string, string> {
  const aliases = new Map<string, string>();
  for (const { from, to } of entries) {
    for (const name of [from, ...to]) {
      if (!aliases.has(name)) aliases.set(name, `p${aliases.size + 1}`);
    }
  }
  return aliases;
}

function draw(entry: RecordedMessage, aliases: ReadonlyMap<string, string>): string[] {
  const { from, to, type, topic, outcome } = entry;
  const arrow = type === 'reply' ? '-->>' : '->>';
  const said = mermaidLabel(topic);
  const lines = to.map((name) => `  ${aliases.get(from)}${arrow}${aliases.get(name)}: ${said}`);
  if (to.length === 0) lines.push(`  Note over ${aliases.get(from)}: ${said}, heard by nobody`);
  if (outcome !== undefined && outcome !== 'handled') {
    lines.push(`  Note over ${aliases.get(to[0] ?? from)}: ${mermaidLabel(outcome)}`);
  }
  return lines;
}

/** Writes everything that Mermaid could read as grammar as an entity, `#35;` for a hash. */
export function mermaidLabel(text: string): string {
  const short = text.length <= LONGEST_LABEL ? text : `${text.slice(0, LONGEST_LABEL - 1)}…`;
  const safe = short
    .replace(/[^\p{L}\p{M}\p{N} ._/,()…-]/gu, (character) => `#${character.codePointAt(0)};`)
    // A line of a diagram may be closed by the word alone.
    .replace(/\bend\b/gi, (word) => `#${word.charCodeAt(0)};nd`);
  return safe.trim() === '' ? '#160;' : safe;
}
