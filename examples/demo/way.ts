import type { RecordedMessage } from 'tellask';

/** The conversation about one file: one in which something went wrong, if there is one, else the longest. */
export function pickWay(entries: readonly RecordedMessage[]): readonly RecordedMessage[] {
  const ways = new Map<string, RecordedMessage[]>();
  for (const entry of entries) {
    const way = ways.get(entry.correlationId);
    if (way === undefined) ways.set(entry.correlationId, [entry]);
    else way.push(entry);
  }
  return [...ways.values()].reduce((best, way) => (worth(way) > worth(best) ? way : best), []);
}

/** A way that ended at once shows little, and so does one without a detour. */
function worth(way: readonly RecordedMessage[]): number {
  const arrived = way.some(({ to }) => to.includes('writer'));
  const detour = way.some(({ outcome }) => outcome !== undefined);
  return way.length + (arrived && detour ? 1_000 : 0);
}

/** Draws who said what to whom as a tree: what a message caused stands under it. */
export function drawWay(way: readonly RecordedMessage[]): string[] {
  const ids = new Set(way.map(({ id }) => id));
  const roots = way.filter(({ causationId }) => causationId === undefined || !ids.has(causationId));
  return roots.flatMap((root) => [say(root), ...drawCaused(root, way, '')]);
}

function drawCaused(
  cause: RecordedMessage,
  way: readonly RecordedMessage[],
  indent: string,
): string[] {
  const caused = way.filter(({ causationId }) => causationId === cause.id);
  return caused.flatMap((message, index) => {
    const isLast = index === caused.length - 1;
    const line = `${indent}${isLast ? '└─' : '├─'} ${say(message)}`;
    return [line, ...drawCaused(message, way, `${indent}${isLast ? '   ' : '│  '}`)];
  });
}

function say({ from, to, topic, outcome }: RecordedMessage): string {
  const what = topic.replace(/[^.]*%[^.]*/, '{path}');
  const end = outcome === undefined ? '' : `  ✗ ${outcome}`;
  return `${from} → ${to.join(', ') || 'nobody'}  ${what}${end}`;
}
