import { paramsOf, type RecordedMessage } from 'tellask';

/** The conversation about one file. */
export interface Way {
  /** The file, as topics name it. */
  readonly name: string;
  readonly messages: readonly RecordedMessage[];
}

/** The way with the most to see: one with a detour, if there is one, else the longest. */
export function pickWay(
  entries: readonly RecordedMessage[],
  except: readonly string[] = [],
): Way | undefined {
  const ways = waysOf(entries).filter(({ name }) => !except.includes(name));
  return ways.reduce<Way | undefined>(
    (best, way) => (best === undefined || worth(way) > worth(best) ? way : best),
    undefined,
  );
}

function waysOf(entries: readonly RecordedMessage[]): Way[] {
  const conversations = new Map<string, RecordedMessage[]>();
  for (const entry of entries) {
    const known = conversations.get(entry.correlationId);
    if (known === undefined) conversations.set(entry.correlationId, [entry]);
    else known.push(entry);
  }
  return [...conversations.values()].flatMap((messages) => {
    const names = messages.map(({ topic }) => paramsOf('file.{path}.found', topic)?.path);
    const name = names.find((one) => one !== undefined);
    return name === undefined ? [] : [{ name, messages }];
  });
}

function worth({ messages }: Way): number {
  const arrived = messages.some(({ to }) => to.includes('writer'));
  const detour = messages.some(({ outcome }) => outcome !== undefined);
  return messages.length + (arrived && detour ? 1_000 : 0);
}

/** Draws who said what to whom as a tree: what a message caused stands under it. */
export function drawWay({ messages }: Way): string[] {
  const ids = new Set(messages.map(({ id }) => id));
  const roots = messages.filter(
    ({ causationId }) => causationId === undefined || !ids.has(causationId),
  );
  return roots.flatMap((root) => [say(root), ...drawCaused(root, messages, '')]);
}

function drawCaused(
  cause: RecordedMessage,
  messages: readonly RecordedMessage[],
  indent: string,
): string[] {
  const caused = messages.filter(({ causationId }) => causationId === cause.id);
  return caused.flatMap((message, index) => {
    const isLast = index === caused.length - 1;
    const line = `${indent}${isLast ? '└─' : '├─'} ${say(message)}`;
    return [line, ...drawCaused(message, messages, `${indent}${isLast ? '   ' : '│  '}`)];
  });
}

function say({ from, to, topic, outcome }: RecordedMessage): string {
  const what = topic.replace(/[^.]*%[^.]*/, '{path}');
  const end = outcome === undefined ? '' : `  ✗ ${outcome}`;
  return `${from} → ${to.join(', ') || 'nobody'}  ${what}${end}`;
}
