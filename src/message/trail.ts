/** So many links a chain has at most: only who lifts the bound on hops gets so far. */
const MAX_LINKS = 10_000;

/** Who said what to whom; `to` is `*` for what was published. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly topic: string;
}

/**
 * One link of a chain of causes: what was said, and the link to what caused it. A link knows how
 * often its edge came in this chain, so a fan-out, whose messages are siblings, is no repetition.
 */
export interface Trail extends Edge {
  /** Monotonic instant. */
  readonly at: number;
  readonly cause: Trail | undefined;
  readonly links: number;
  /** The link at which the same was said before, within the window. */
  readonly before: Trail | undefined;
  /** How often the edge was said within the window that ends here. */
  readonly count: number;
}

/** Adds what is being said to the chain of what caused it. */
export function follow(
  cause: Trail | undefined,
  { from, to, topic }: Edge,
  at: number,
  windowMs: number,
): Trail {
  const kept = cause !== undefined && cause.links < MAX_LINKS ? cause : undefined;
  const links = (kept?.links ?? 0) + 1;
  const after = at - windowMs;
  const before = lastOf(kept, { from, to, topic }, after);
  return { from, to, topic, at, cause: kept, links, before, count: 1 + countOf(before, after) };
}

/** Counted anew each time, for the window slides; a bound on repetitions bounds this, too. */
function countOf(last: Trail | undefined, after: number): number {
  let count = 0;
  for (let link = last; link !== undefined && link.at >= after; link = link.before) count++;
  return count;
}

/** The edges of the cycle that the last link closes, or the last few when it closes none. */
export function pathOf(last: Trail, maxEdges: number = 16): string[] {
  const edges: Trail[] = [];
  const end = lastOf(last.cause, last, -Infinity);
  for (let link: Trail | undefined = last; link !== undefined; link = link.cause) {
    if (link === end || edges.length === maxEdges) break;
    edges.unshift(link);
  }
  const first = edges[0] as Trail;
  // Who heard what was published is known by what he said then; the last edge leads to the first.
  return edges.map((edge, i) => wordsOf(edge, (edges[i + 1] ?? (end && first))?.from));
}

function wordsOf({ from, to, topic }: Edge, next: string | undefined): string {
  return `${from} -${topic}-> ${to === '*' ? (next ?? to) : to}`;
}

/** The link at which the same was said the last time, not looking further back than `after`. */
function lastOf(start: Trail | undefined, edge: Edge, after: number): Trail | undefined {
  for (let link = start; link !== undefined && link.at >= after; link = link.cause) {
    const same = link.topic === edge.topic && link.from === edge.from && link.to === edge.to;
    if (same) return link;
  }
  return undefined;
}
