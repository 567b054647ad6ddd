import type { Ability, Contender } from './contender.ts';

export type Unit = 'ns' | 'us' | 'ms' | 'bytes';

/** What tellask has to reach in a row. */
export type Goal =
  /** tellask / the best of these peers, in the same run. */
  | { readonly kind: 'ratio'; readonly to: readonly string[]; readonly atMost: number }
  /** tellask here / tellask in another row. */
  | { readonly kind: 'growth'; readonly since: string; readonly atMost: number }
  /** tellask alone, in the unit of the row. */
  | { readonly kind: 'limit'; readonly atMost: number };

/** Takes one sample after the other of one contender. */
export interface Sampler {
  sample(): number | Promise<number>;
  /** What the number alone does not say, such as which pattern was the slowest. */
  note?(): string;
}

/** One line of work that the contenders are compared at. */
export interface Row {
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  readonly needs: Ability;
  /** Contenders that have the ability and still say nothing here. */
  readonly without?: readonly string[];
  readonly nodeFlags?: readonly string[];
  readonly goals: readonly Goal[];
  /** Runs in the process of the contender: sets the work up and warms nothing. */
  prepare(contender: Contender): Sampler | Promise<Sampler>;
}
