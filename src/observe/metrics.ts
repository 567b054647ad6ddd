import { Histogram, type Latency } from './histogram.ts';

/** The label of everything that came after the last free place. */
const OTHER = '(other)';

/**
 * What happened under one label. The path of a message holds the series and counts in it with
 * `++`, so the fields are open to whoever has the series.
 */
export class Series {
  readonly label: string;
  handled = 0;
  deadLettered = 0;
  expired = 0;
  cancelled = 0;
  /** Milliseconds from admission to outcome. */
  readonly latency: Histogram = new Histogram();

  constructor(label: string) {
    this.label = label;
  }
}

/** One series as plain data. */
export interface SeriesSnapshot {
  readonly label: string;
  readonly handled: number;
  readonly deadLettered: number;
  readonly expired: number;
  readonly cancelled: number;
  readonly latency: Latency;
}

/** All series as plain data, in the order in which they first appeared. */
export interface MetricsSnapshot {
  readonly families: readonly SeriesSnapshot[];
  /** Labelled `from → to`. */
  readonly pairs: readonly SeriesSnapshot[];
}

/** Options of {@link Metrics}. */
export interface MetricsOptions {
  /** Labels of families, and of pairs; later ones share `(other)`. @default 1_000 */
  readonly maxLabels?: number;
}

/** Counts outcomes for each topic family and for each pair of agents, in bounded memory. */
export class Metrics {
  readonly #maxLabels: number;
  readonly #families = new Map<string, Series>();
  readonly #pairs = new Map<string, Map<string, Series>>();
  readonly #pairSeries: Series[] = [];
  #otherFamily: Series | undefined;
  #otherPair: Series | undefined;

  constructor({ maxLabels = 1_000 }: MetricsOptions = {}) {
    this.#maxLabels = maxLabels;
  }

  /** The series of a topic family; hold on to it rather than asking again. */
  family(label: string): Series {
    return this.#families.get(label) ?? this.#newFamily(label);
  }

  /** The series of what `from` said to `to`. */
  pair(from: string, to: string): Series {
    return this.#pairs.get(from)?.get(to) ?? this.#newPair(from, to);
  }

  /** All that was said to one; `undefined` when some of it may stand under `(other)`. */
  saidTo(to: string): { readonly handled: number; readonly deadLettered: number } | undefined {
    if (this.#otherPair !== undefined) return undefined;
    let handled = 0;
    let deadLettered = 0;
    for (const targets of this.#pairs.values()) {
      const series = targets.get(to);
      handled += series?.handled ?? 0;
      deadLettered += series?.deadLettered ?? 0;
    }
    return { handled, deadLettered };
  }

  snapshot(): MetricsSnapshot {
    const families = [...this.#families.values()];
    const pairs = [...this.#pairSeries];
    if (this.#otherFamily !== undefined) families.push(this.#otherFamily);
    if (this.#otherPair !== undefined) pairs.push(this.#otherPair);
    return { families: families.map(toSnapshot), pairs: pairs.map(toSnapshot) };
  }

  #newFamily(label: string): Series {
    if (this.#families.size >= this.#maxLabels) {
      this.#otherFamily ??= new Series(OTHER);
      return this.#otherFamily;
    }
    const series = new Series(label);
    this.#families.set(label, series);
    return series;
  }

  #newPair(from: string, to: string): Series {
    if (this.#pairSeries.length >= this.#maxLabels) {
      this.#otherPair ??= new Series(OTHER);
      return this.#otherPair;
    }
    // A map in a map, for joining two names into one key would cost a string on every look-up.
    const series = new Series(`${from} → ${to}`);
    const targets = this.#pairs.get(from) ?? new Map<string, Series>();
    this.#pairs.set(from, targets.set(to, series));
    this.#pairSeries.push(series);
    return series;
  }
}

function toSnapshot(series: Series): SeriesSnapshot {
  const { label, handled, deadLettered, expired, cancelled } = series;
  return { label, handled, deadLettered, expired, cancelled, latency: series.latency.snapshot() };
}
