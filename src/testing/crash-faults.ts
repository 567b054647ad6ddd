import type { SagaResult } from '../saga/results.ts';
import { type Ended, wrong } from './crash-life.ts';
import type { WorldCall } from './saga-world.ts';

/**
 * Fails unless a saga ended as the one without a crash did, or as else it may, and did no more than
 * it had to.
 */
export function checkEnded(
  ended: Ended,
  calm: Ended,
  mayEnd: readonly SagaResult['status'][],
): void {
  const { world, timers, result, again, callsAgain } = ended;
  if (!mayEnd.includes(result.status)) {
    same(ended, 'its result', textOf(result), textOf(calm.result));
    same(ended, 'what stands', standing(ended), standing(calm));
  }
  if (result.status === 'compensated' || result.status === 'cancelled') {
    same(ended, `what stands of a saga that is ${result.status}`, standing(ended), '');
  }
  if (result.status === 'compensation-failed') checkNamed(ended);
  same(ended, 'the timers that are left', timers.join(', '), '');
  same(ended, 'what the same id gives again', JSON.stringify(again), JSON.stringify(result));
  same(ended, 'the calls of the world for that', `${callsAgain}`, '0');
  checkRepetitions(ended, calm);
  checkOrder(ended, world.calls);
}

function same(ended: Ended, what: string, came: string, wanted: string): void {
  if (came !== wanted)
    throw wrong(ended, `${what}: expected ${wanted || 'none'}, but it is ${came || 'none'}`);
}

/** An error is compared by its message: where it was thrown is nobody's business. */
function textOf({ status, results, uncompensated, error }: SagaResult): string {
  const left = uncompensated.map(({ step }) => step);
  return JSON.stringify({ status, results, uncompensated: left, error: error?.message });
}

function standing({ world }: Ended): string {
  return [...world.standing.values()].toSorted().join(', ');
}

/** What stands is not kept quiet. */
function checkNamed(ended: Ended): void {
  const named = new Set(ended.result.uncompensated.map(({ step }) => step));
  const kept = [...ended.world.standing.values()].filter((step) => !named.has(step));
  same(ended, 'what stands and is not in uncompensated', kept.join(', '), '');
}

/** A step is begun once, and once more at most for each crash. */
function checkRepetitions(ended: Ended, calm: Ended): void {
  const before = begins(calm);
  for (const [what, times] of begins(ended)) {
    const most = Math.max(1, before.get(what) ?? 0) + ended.crashes.length;
    if (times > most)
      throw wrong(ended, `${what} was begun ${times} times, and not ${most} at most`);
  }
}

function begins({ world }: Ended): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { verb, step, attempt } of world.calls) {
    if (attempt !== 1) continue;
    const what = `${verb} ${step}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return counts;
}

/** Forth in the order of the stages, then back in reverse, and never forth again. */
function checkOrder(ended: Ended, calls: readonly WorldCall[]): void {
  const stages = [...new Set(calls.filter(({ verb }) => verb === 'run').map(stageOf))];
  let [at, back] = [0, false];
  for (const call of calls) {
    const place = stages.indexOf(stageOf(call));
    const undo = call.verb === 'undo';
    const inOrder = undo ? !back || place <= at : !back && place >= at;
    if (!inOrder)
      throw wrong(ended, `${call.verb} ${call.step} came out of order: ${listed(calls)}`);
    back = undo;
    // A step that nobody knows to have run can be undone, too.
    at = place === -1 ? at : place;
  }
}

/** The members of a group are one stage. */
function stageOf({ step }: WorldCall): string {
  return step.split('/', 1)[0] as string;
}

function listed(calls: readonly WorldCall[]): string {
  return calls.map(({ verb, step }) => `${verb} ${step}`).join(', ');
}
