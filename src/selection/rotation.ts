import type { Candidate } from '../delivery/selection.ts';

/** The best of the candidates by a score, where more is better; equals take turns. */
export class Rotation {
  #turn = 0;

  best(
    candidates: readonly Candidate[],
    score: (candidate: Candidate) => number,
  ): Candidate | undefined {
    const turn = this.#turn++;
    let best: Candidate | undefined;
    let most = -Infinity;
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[(turn + i) % candidates.length] as Candidate;
      const points = score(candidate);
      if (!(points > most)) continue;
      best = candidate;
      most = points;
    }
    return best;
  }
}
