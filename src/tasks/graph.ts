import type { DependencyPolicy, Task } from './task.ts';

/** What the dependencies of a task say: it may begin, has to wait, or will not be done. */
export type Verdict =
  | { readonly kind: 'ready' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'skipped'; readonly because: Task };

type Look = (id: string) => Task | undefined;

const READY: Verdict = { kind: 'ready' };
const WAITING: Verdict = { kind: 'waiting' };

/** What becomes of a task that has not begun. A dependency that was purged had completed. */
export function verdictOf(task: Task, look: Look): Verdict {
  let waits = false;
  for (const id of task.dependsOn) {
    const dependency = look(id);
    if (dependency === undefined || dependency.status === 'completed') continue;
    const verdict = ended(dependency) ? AFTER_FAILURE[task.onDependencyFailure] : 'waiting';
    if (verdict === 'skipped') return { kind: 'skipped', because: dependency };
    if (verdict === 'waiting') waits = true;
  }
  return waits ? WAITING : READY;
}

const AFTER_FAILURE: Readonly<Record<DependencyPolicy, Verdict['kind']>> = {
  skip: 'skipped',
  run: 'ready',
  wait: 'waiting',
};

function ended({ status }: Task): boolean {
  return status === 'failed' || status === 'canceled' || status === 'rejected';
}

/**
 * A way from a task over its dependencies back to itself, if there is one.
 *
 * @param of What a task depends on.
 */
export function cycleFrom(
  start: string,
  of: (id: string) => readonly string[],
): readonly string[] | undefined {
  const seen = new Set<string>();
  const path: string[] = [start];
  // A list of what is left to try at each step of the path: deep chains need no deep stack.
  const left: string[][] = [[...of(start)]];
  while (path.length > 0) {
    const next = left.at(-1)?.shift();
    if (next === undefined) {
      path.pop();
      left.pop();
    } else if (next === start) {
      return [...path, start];
    } else if (!seen.has(next)) {
      seen.add(next);
      path.push(next);
      left.push([...of(next)]);
    }
  }
  return undefined;
}
