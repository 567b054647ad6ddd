// npm run load -- [--agents n] [--messages n] [--seed n]: agents with cards that come and go while
// they are asked, told and given tasks. Fails when the books do not balance, or when agents that are
// equal are not asked evenly.
import { parseArgs } from 'node:util';
import { load } from './load/society.ts';

const { values } = parseArgs({
  options: {
    agents: { type: 'string', default: '1000' },
    messages: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
  },
});
const [agents, messages, seed] = [values.agents, values.messages, values.seed].map(Number) as [
  number,
  number,
  number,
];

const run = await load({ agents, messages, seed });
console.log(
  `${run.messages} messages to ${run.agents} agents, ${run.left} left and ${run.came} came`,
);
console.log(
  `${Math.round(run.messages / run.seconds)} messages a second, ${run.seconds.toFixed(1)} s`,
);
console.log(`answered ${run.answered}, refused or failed ${run.failed}, told ${run.told}`);
console.log(`asked evenly to ${(run.unevenness * 100).toFixed(1)} % of the mean`);
console.log(`books: ${JSON.stringify(run.books)}`);
for (const fault of run.faults) console.error(`FAIL: ${fault}`);
process.exitCode = run.faults.length === 0 ? 0 : 1;
