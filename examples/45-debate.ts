// 45 A debate: two speak in turn, each hears what the other has said, and a judge decides.
import { type Agent, MessageBus } from 'tellask';
import { byArbiter, Collaborations, type Contribution, type Turn } from 'tellask/agents';

function makeDebater(agent: Agent, points: readonly string[]): void {
  agent.serve('debate.speak', (request) => {
    const { round, contributions } = request.payload as Turn;
    const last = contributions.at(-1);
    const answer = last === undefined ? '' : `${last.by} is wrong: `;
    const point = points[round - 1];
    // Nothing means to pass: a round in which all do so is the last.
    return point === undefined ? undefined : `${answer}${point}`;
  });
}

function makeJudge(agent: Agent): void {
  agent.serve('debate.judge', (request) => {
    const said = request.payload as readonly Contribution[];
    const words = new Map<string, number>();
    for (const { by, value } of said) {
      words.set(by, (words.get(by) ?? 0) + String(value).split(' ').length);
    }
    // Whoever needs fewer words is right.
    return [...words].sort((a, b) => a[1] - b[1])[0]?.[0];
  });
}

const bus = new MessageBus();
makeDebater(bus.register('for-tea'), ['it is warm', 'it wakes']);
makeDebater(bus.register('for-milk'), ['it is good for the bones', 'even cats like it very much']);
makeJudge(bus.register('judge'));
const collaborations = new Collaborations(bus);
bus.subscribe('debate.said', ({ payload }) => {
  const { by, round, value } = payload as Contribution;
  console.log(`  ${round} ${by}: ${value}`);
});

const debate = {
  topic: 'debate.speak',
  participants: ['for-tea', 'for-milk'],
  goal: 'What should be drunk at five?',
  share: 'debate.said',
};

const { ending, value, spent } = await collaborations.roundRobin({
  ...debate,
  rounds: 10,
  resolve: byArbiter((_, debated) => debated?.request('debate.judge', debated.contributions)),
});
console.log(`${ending}: the judge is ${value}; ${spent.messages} messages`);

// The same with less to spend: what was said is kept.
const short = await collaborations.roundRobin({ ...debate, budget: { messages: 5 } });
console.log(`${short.ending}: ${short.contributions.length} contributions`);

await bus.close();
