// 16 A budget over a tree of agents: it ends early, and what was done is not thrown away.
import { type Agent, BudgetExhaustedError, type BudgetLimits, MessageBus } from 'tellask';

function makeModel(agent: Agent): void {
  // What a model has used up counts, also when it was too much.
  agent.serve('model.complete', (request, context) => {
    context.spend({ tokens: 300, cost: 0.002 });
    return `about ${request.payload}`;
  });
}

function makeWriter(agent: Agent): void {
  agent.serve('chapter.write', async (request, context) => {
    const text = await context.request('model.complete', request.payload);
    const { tokens, messages } = context.budget.remaining;
    console.log(`wrote ${request.payload}; left: ${tokens} tokens, ${messages} messages`);
    return text;
  });
}

function makeEditor(agent: Agent): void {
  const chapters = new Map<string, unknown[]>();
  agent.serve(
    'report.write',
    async (request, context) => {
      const done: unknown[] = [];
      chapters.set(request.id, done);
      for (const subject of request.payload as readonly string[]) {
        // A budget below can only be narrower: no chapter may use up what is left for all.
        const budget = { tokens: 500 };
        done.push(await context.request('chapter.write', subject, { budget }));
      }
      return done;
    },
    // The one last call: what it returns is the partial result.
    { wrapUp: (request) => chapters.get(request.id) },
  );
}

const bus = new MessageBus();
makeModel(bus.register('model'));
makeWriter(bus.register('writer'));
makeEditor(bus.register('editor'));

async function order(budget: BudgetLimits): Promise<void> {
  try {
    console.log(await bus.request('report.write', ['tea', 'cups', 'milk', 'sugar'], { budget }));
  } catch (error) {
    if (!(error instanceof BudgetExhaustedError)) throw error;
    console.log(`no more ${error.resource}: ${error.spent} of ${error.limit} spent`);
    console.log('what there is:', error.partial);
  }
}

await order({ tokens: 1_000 });
await order({ messages: 5 });
await order({ tokens: 1_200, messages: 8 });
await bus.close();
