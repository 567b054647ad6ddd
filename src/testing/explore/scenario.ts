import type { AnyContract, ContractShape } from '../../message/contract-types.ts';
import type { TestBus } from '../test-bus.ts';

/** The test bus of one schedule. */
export interface ScenarioBus<C extends ContractShape = AnyContract> extends TestBus<C> {
  /**
   * Says that something worth testing should come about in some schedule, not in each: `explore`
   * counts the schedules in which the condition was true, and names what none has reached.
   * `condition` is true unless given.
   */
  sometimes(name: string, condition?: boolean): void;
}

/** What is explored: it makes its agents anew each time and throws when something is wrong. */
export type Scenario<C extends ContractShape = AnyContract> = (
  t: ScenarioBus<C>,
) => void | Promise<void>;

/** The names of `sometimes`, and in how many schedules each was true. */
export class Sightings {
  readonly #counts = new Map<string, number>();
  readonly #now = new Set<string>();

  /** What a scenario calls. Once a schedule is enough. */
  readonly see = (name: string, condition = true): void => {
    if (!this.#counts.has(name)) this.#counts.set(name, 0);
    if (condition) this.#now.add(name);
  };

  /** A schedule is over. */
  count(): void {
    for (const name of this.#now) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.#now.clear();
  }

  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }

  never(): string[] {
    return [...this.#counts].filter(([, count]) => count === 0).map(([name]) => name);
  }
}
