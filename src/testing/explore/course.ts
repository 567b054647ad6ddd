import type { Lane } from '../../kernel/env.ts';
import type { Explorer } from '../sim-env.ts';
import type { Picker } from './strategy.ts';

/** What a step was chosen from, told to who watches a run. */
export type Watch = (step: number, lanes: readonly Lane[], choice: number) => void;

/**
 * The course of one run: who was chosen at each step, and from how many.
 *
 * Who is passed over waits until nobody else is ready, or until he is chosen: so one choice holds
 * a lane up for as long as it takes, as in delay-bounded scheduling (Emmi, Qadeer and Rakamaric,
 * POPL 2011), and few choices say what it takes to fail. Without any choice it is production order.
 */
export class Course implements Explorer {
  readonly counts: number[] = [];
  readonly picks: number[] = [];
  readonly #pick: Picker;
  readonly #watch: Watch | undefined;
  /** In the order in which they were passed over. */
  readonly #held: Lane[] = [];
  #over = false;

  constructor(pick: Picker, watch?: Watch) {
    this.#pick = pick;
    this.#watch = watch;
  }

  /** What comes from here on is the end of a test, in production order. */
  end(): void {
    this.#over = true;
  }

  choose(ready: readonly Lane[], step: number): number {
    if (this.#over) return 0;
    const lanes = this.#held.length === 0 ? ready : this.#inTurn(ready);
    const choice = this.#pick(lanes, step);
    this.counts.push(lanes.length);
    this.picks.push(choice);
    this.#watch?.(step, lanes, choice);
    const chosen = lanes[choice] as Lane;
    this.#hold(lanes, choice, chosen);
    return lanes === ready ? choice : ready.indexOf(chosen);
  }

  /** The lanes in production order, and behind them those that were passed over. */
  #inTurn(ready: readonly Lane[]): Lane[] {
    const held = this.#held;
    const lanes = ready.filter((lane) => !held.includes(lane));
    for (const lane of held) if (ready.includes(lane)) lanes.push(lane);
    return lanes;
  }

  #hold(lanes: readonly Lane[], choice: number, chosen: Lane): void {
    const held = this.#held;
    const place = held.indexOf(chosen);
    if (place !== -1) held.splice(place, 1);
    for (let index = 0; index < choice; index += 1) {
      const lane = lanes[index] as Lane;
      if (!held.includes(lane)) held.push(lane);
    }
  }

  /** Where it was not the first lane. */
  choices(): Map<number, number> {
    const choices = new Map<number, number>();
    for (const [index, pick] of this.picks.entries()) if (pick !== 0) choices.set(index + 1, pick);
    return choices;
  }
}
