// 48 Voting: everybody is asked at once, and the ballots are counted in four ways.
import { type Agent, MessageBus, quorum } from 'tellask';
import { byMerge, byPriority, byVote, type Position, type Resolution } from 'tellask/agents';

function makeVoter(agent: Agent, drink: string, plan: object): void {
  agent.serve('vote.drink', () => drink);
  agent.serve('vote.plan', () => plan);
}

const bus = new MessageBus();
makeVoter(bus.register('ann'), 'tea', { time: 5, cups: 4 });
makeVoter(bus.register('bob'), 'milk', { time: 6, place: 'garden' });
makeVoter(bus.register('cat'), 'tea', { time: 5 });
makeVoter(bus.register('dan'), 'coffee', { music: ['a waltz'] });
makeVoter(bus.register('eve'), 'milk', {});
// Is asked, too, and never says anything.
bus.register('fay').serve('vote.drink', (_request, context) => context.defer());

/** The ballots that came, in the order of names: who is late has not voted. */
async function ballots(topic: string, voters: number): Promise<Position[]> {
  const { ok, reason } = await bus.gather(topic, {}, { until: quorum(voters), timeoutMs: 1_000 });
  console.log(`${topic}: ${ok.length} ballots (${reason})`);
  const positions = ok.map(({ from, value }) => ({ by: from, value }));
  return positions.sort((a, b) => a.by.localeCompare(b.by));
}

function show(how: string, resolution: Resolution): void {
  const words = resolution.settled
    ? `${JSON.stringify(resolution.value)} (by ${resolution.by.join(', ') || 'all'})`
    : `open: ${resolution.why}: ${JSON.stringify(resolution.between)}`;
  console.log(`  ${how}: ${words}`);
}

const drinks = await ballots('vote.drink', 5);
const most = byVote()(drinks);
show('the most', most);
if (!most.settled) {
  // A second ballot, between those who tied alone; the others are free again.
  const left = drinks.filter(({ value }) => most.between.includes(value));
  show('of those, with a weight for the cook', byVote({ weights: { bob: 1.5 } })(left));
}
show('at least four', byVote({ quorum: 4 })(drinks));
show('whoever is first in the house', byPriority(['dan', 'ann'])(drinks));

const plans = await ballots('vote.plan', 5);
show('all plans in one', byMerge()(plans));
show('and where they differ, a vote', byMerge({ conflict: byVote() })(plans));

await bus.close();
