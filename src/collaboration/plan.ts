import { DecisionError } from './errors.ts';
import type { Ending, Turn } from './result.ts';
import type { Seat } from './seat.ts';

/** One turn that is to be taken. */
export interface Asked {
  readonly seat: Seat;
  readonly role: Turn['role'];
  readonly task?: unknown;
}

/** What came of a turn. */
export type Heard =
  | { readonly outcome: 'said'; readonly value: unknown }
  | { readonly outcome: 'passed' }
  | { readonly outcome: 'failed'; readonly error: unknown };

/** Turns that are taken at the same time. */
export interface Step {
  readonly round: number;
  readonly turns: readonly Asked[];
}

/** How a collaboration has ended by itself. */
export interface Ended {
  readonly ending: Ending;
  readonly value?: unknown;
  readonly error?: unknown;
}

/**
 * Says whose turn it is, and gets what came of the turns, in their order. It decides and does
 * nothing: time, budget, `until` and the goal are looked after by whoever plays it.
 */
export type Plan = Generator<Step, Ended, readonly Heard[]>;

/** What a participant answers when the goal is reached. */
export interface GoalReached {
  readonly goalReached: true;
  readonly value?: unknown;
}

export function isGoal(answer: unknown): answer is GoalReached {
  if (typeof answer !== 'object' || answer === null) return false;
  return Object.hasOwn(answer, 'goalReached') && (answer as GoalReached).goalReached === true;
}

/** One after the other, round by round. */
export function* roundRobinPlan(seats: readonly Seat[], rounds: number): Plan {
  for (let round = 1; round <= rounds; round++) {
    const heard: Heard[] = [];
    for (const seat of seats) heard.push(...(yield { round, turns: [{ seat, role: 'speaker' }] }));
    const ended = endOfRound(heard);
    if (ended !== undefined) return ended;
  }
  return { ending: 'rounds' };
}

/** Nobody has anything to add, or nobody who had could say it. */
function endOfRound(heard: readonly Heard[]): Ended | undefined {
  if (heard.some(({ outcome }) => outcome === 'said')) return undefined;
  const failed = heard.find((one) => one.outcome === 'failed');
  if (failed !== undefined) return { ending: 'failed', error: failed.error };
  return { ending: 'rounds' };
}

/** One decides who does what; those who are to do something do it at the same time. */
export function* supervisorPlan(
  lead: Seat,
  seats: readonly Seat[],
  rounds: number,
  refuse: (round: number, error: DecisionError) => void,
): Plan {
  for (let round = 1; round <= rounds; round++) {
    const [decided] = yield { round, turns: [{ seat: lead, role: 'supervisor' }] };
    if (decided?.outcome === 'failed') return { ending: 'failed', error: decided.error };
    try {
      const decision = decided?.outcome === 'said' ? decided.value : undefined;
      yield { round, turns: readDecision(lead.name, decision, seats) };
    } catch (error) {
      if (!(error instanceof DecisionError)) throw error;
      refuse(round, error);
    }
  }
  return { ending: 'rounds' };
}

function readDecision(lead: string, decision: unknown, seats: readonly Seat[]): readonly Asked[] {
  const { assign } = (decision ?? {}) as { readonly assign?: unknown };
  if (typeof assign !== 'object' || assign === null || Array.isArray(assign)) {
    throw new DecisionError(lead, 'it assigns nothing', namesOf(seats));
  }
  const turns = Object.entries(assign).map(([name, task]): Asked => {
    const seat = seats.find((one) => one.name === name);
    if (seat !== undefined) return { seat, role: 'worker', task };
    throw new DecisionError(lead, `${name} does not participate`, namesOf(seats));
  });
  if (turns.length > 0) return turns;
  throw new DecisionError(lead, 'it assigns nothing', namesOf(seats));
}

function namesOf(seats: readonly Seat[]): readonly string[] {
  return seats.map(({ name }) => name);
}

/** What one makes is the task of the next; who passes, or is left out, changes nothing. */
export function* pipelinePlan(seats: readonly Seat[], input: unknown): Plan {
  let value = input;
  for (const seat of seats) {
    const [made] = yield { round: 1, turns: [{ seat, role: 'stage', task: value }] };
    if (made?.outcome === 'said') value = made.value;
  }
  return { ending: 'goal', value };
}
