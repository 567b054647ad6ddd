import { ability } from '../contender.ts';
import type { Row } from '../row.ts';
import { timed, type Work } from '../timed.ts';

function request(inFlight: number): Row {
  return {
    name: `request-${inFlight}`,
    title: `bare request to reply, ${inFlight} in flight`,
    unit: 'ns',
    needs: 'asker',
    goals: [{ kind: 'ratio', to: ['moleculer'], atMost: 1 }],
    prepare: async (contender) => {
      const asker = await ability(contender, 'asker');
      const ask = async (value: number): Promise<void> => {
        const answer = await asker.ask(value);
        if (answer !== value + 1) throw new Error(`asked for ${value} + 1, got ${answer}`);
      };
      const work: Work = async (operations) => {
        for (let left = operations; left > 0; left -= inFlight) {
          const size = Math.min(left, inFlight);
          await Promise.all(Array.from({ length: size }, (_, index) => ask(index)));
        }
      };
      return timed(work);
    },
  };
}

export const rows: readonly Row[] = [request(1), request(1_000)];
