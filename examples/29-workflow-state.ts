// 29 Documents and workflows in the state: stages, scores, and a second round when it is not good.
import {
  type Agent,
  documents,
  isTellaskError,
  MessageBus,
  StateManager,
  workflows,
} from 'tellask';

type Stage = 'draft' | 'review';
const bus = new MessageBus({ state: new StateManager() });

function makeWriter(agent: Agent): void {
  agent.serve('write', (_, { state }) => {
    const flow = workflows<Stage>(state);
    const round = flow.startStage('7', 'draft').value.iterations.draft;
    documents(state).updateContent('7', round === 1 ? 'Tea.' : 'Tea: boil, pour, wait.');
    flow.completeStage('7', 'draft', { output: `round ${round}`, qualityScore: 0.8 });
  });
}

function makeEditor(agent: Agent): void {
  agent.serve('review', (_, { state }) => {
    const flow = workflows<Stage>(state);
    flow.startStage('7', 'review');
    const { content } = documents(state).getDocument('7')?.value ?? {};
    const qualityScore = content === 'Tea.' ? 0.3 : 0.9;
    flow.completeStage('7', 'review', { output: content, qualityScore });
    return qualityScore;
  });
}

makeWriter(bus.register('writer'));
makeEditor(bus.register('editor'));
documents(bus.state).createDocument('7', { topic: 'Tea', requirements: ['how long to wait'] });
const flow = workflows<Stage>(bus.state);
flow.createWorkflow('7', ['draft', 'review']);
try {
  flow.startStage('7', 'review'); // the order is kept, whoever asks
} catch (error) {
  console.log(isTellaskError(error, 'TELLASK_STATE_STAGE') && error.message);
}

for (let score = 0; score < 0.7; ) {
  await bus.request('write', {});
  score = Number(await bus.request('review', {}));
  console.log('score', score);
}

const { completed, iterations, qualityScores, runs } = flow.getWorkflow('7')?.value ?? {};
console.log(completed, iterations, qualityScores);
console.log(runs?.review);
for (const { version, actor, value } of documents(bus.state).history('7')) {
  console.log(`document, version ${version} by ${actor}: ${value?.content}`);
}
await bus.close();
