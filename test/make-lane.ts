import type { Lane } from '../src/kernel/env.ts';

/** A lane whose step is `run`, which gets the lane to post it again. */
export function makeLane(label: string, order: number, run: (lane: Lane) => void): Lane {
  const lane: Lane = { kind: 'mailbox', label, order, posted: false, run: () => run(lane) };
  return lane;
}
