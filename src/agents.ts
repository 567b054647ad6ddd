export type { Candidate, Selection, SelectionCall } from './delivery/selection.ts';
export { roundRobin } from './selection/round-robin.ts';
