import { type Asker, ability, RESPONDERS } from '../contender.ts';
import type { Row } from '../row.ts';
import { timed, type Work } from '../timed.ts';

/** Asks one question after the other. */
async function askInTurn(asker: Asker, questions: number): Promise<void> {
  for (let value = 0; value < questions; value += 1) {
    const answer = await asker.ask(value);
    if (answer !== value + 1) throw new Error(`asked for ${value} + 1, got ${answer}`);
  }
}

type Asked = Pick<Row, 'name' | 'title' | 'goals'> & {
  readonly needs: 'asker' | 'laterAsker' | 'guardedAsker';
};

function row({ needs, ...named }: Asked, inFlight: number): Row {
  return {
    ...named,
    unit: 'ns',
    needs,
    prepare: async (contender) => {
      const asker = await ability(contender, needs);
      const work: Work = async (operations) => {
        const each = Math.floor(operations / inFlight);
        const rest = operations % inFlight;
        const askers = Array.from({ length: inFlight }, (_, index) =>
          askInTurn(asker, index < rest ? each + 1 : each),
        );
        await Promise.all(askers);
      };
      return timed(work);
    },
  };
}

const gather: Row = {
  name: 'gather-10',
  title: `one question to ${RESPONDERS} responders, all answers together`,
  unit: 'ns',
  needs: 'gatherer',
  goals: [{ kind: 'ratio', to: ['moleculer'], atMost: 1 }],
  prepare: async (contender) => {
    const gatherer = await ability(contender, 'gatherer');
    const work: Work = async (operations) => {
      for (let value = 0; value < operations; value += 1) {
        const answers = await gatherer.gather(value);
        const right = answers.every((answer) => answer === value + 1);
        if (!right || answers.length !== RESPONDERS) throw new Error(`wrong answers: ${answers}`);
      }
    };
    return timed(work);
  },
};

function request(inFlight: number): Row {
  const name = `request-${inFlight}`;
  const title = `bare request to reply, ${inFlight} in flight`;
  const goals = [{ kind: 'ratio', to: ['moleculer'], atMost: 1 }] as const;
  return row({ name, title, goals, needs: 'asker' }, inFlight);
}

const deferred: Asked = {
  name: 'deferred',
  title: 'request to a reply that is put off, 1 in flight',
  goals: [],
  needs: 'laterAsker',
};

const guarded: Asked = {
  name: 'request-guarded',
  title: 'request to reply with time-out, retry and breaker, 1 in flight',
  goals: [{ kind: 'ratio', to: ['moleculer'], atMost: 0.25 }],
  needs: 'guardedAsker',
};

export const rows: readonly Row[] = [
  request(1),
  request(1_000),
  row(guarded, 1),
  row(deferred, 1),
  gather,
];
