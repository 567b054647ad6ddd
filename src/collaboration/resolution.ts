import type { Contribution } from './result.ts';

/** What one participant stands for. */
export interface Position {
  readonly by: string;
  readonly value: unknown;
}

/** What became of a conflict between positions. */
export type Resolution = Settled | Unsettled;

/** There is one value for all. */
export interface Settled {
  readonly settled: true;
  readonly value: unknown;
  /** `agreed`: there was no conflict. */
  readonly how: 'agreed' | 'merge' | 'vote' | 'arbiter' | 'priority';
  /** Who stood for the value as it is; nobody, when it was made of several. */
  readonly by: readonly string[];
  /** JSON pointers to where positions differed, of those that were merged; else empty. */
  readonly conflicts: readonly string[];
}

/** Nothing was decided. */
export interface Unsettled {
  readonly settled: false;
  /** In a few words. */
  readonly why: string;
  /** What it stands between; empty when nobody stood for anything. */
  readonly between: readonly unknown[];
}

/** What a way of resolving may ask while it decides. */
export interface ResolveContext {
  readonly goal: unknown;
  /** What was said, the oldest first; at most `keep`. */
  readonly contributions: readonly Contribution[];
  /** Aborts when the collaboration has ended. */
  readonly signal: AbortSignal;
  /** Asks as whoever speaks for the collaboration, within its time and its budget. */
  request(topic: string, input: unknown, options?: { readonly to?: string }): Promise<unknown>;
}

/** Makes one value of what the participants stand for. */
export type Resolve<R = Resolution | PromiseLike<Resolution>> = (
  positions: readonly Position[],
  context?: ResolveContext,
) => R;

/** Those who stand for the same, and how much they weigh together. */
export interface Camp {
  readonly value: unknown;
  readonly by: readonly string[];
}
