// 25 A chain of responsibility: a question goes from desk to desk until one says that it is his.
import { type Agent, chain, isTellaskError, MessageBus, NOT_MINE } from 'tellask';

interface Claim {
  readonly euros: number;
  readonly why: string;
}

// An agent looks at the claim itself, and leaves it to the next one when it is not his.
function makeCashier(agent: Agent): void {
  agent.serve('claim.cash', (request) => {
    const { euros } = request.payload as Claim;
    return euros <= 50 ? `the cashier pays ${euros} euros` : NOT_MINE;
  });
}

function makeLawyer(agent: Agent): void {
  agent.serve('claim.law', (request) => {
    const { why } = request.payload as Claim;
    if (why === '') throw new TypeError('a claim without a reason');
    return why.includes('injury') ? 'the lawyer writes a letter' : NOT_MINE;
  });
}

const bus = new MessageBus();
makeCashier(bus.register('cashier'));
makeLawyer(bus.register('lawyer'));
const desk = bus.register('desk');

const claims = chain<Claim, unknown>(
  [
    { name: 'nothing', canHandle: ({ euros }) => euros === 0, handle: () => 'nothing to do' },
    { topic: 'claim.cash', name: 'cashier' },
    { topic: 'claim.law', name: 'lawyer' },
  ],
  { name: 'claims' },
);
console.log(claims.links.join(' -> '));

for (const claim of [
  { euros: 0, why: 'a test' },
  { euros: 20, why: 'a broken cup' },
  { euros: 900, why: 'an injury' },
  { euros: 900, why: 'a feeling' },
  { euros: 900, why: '' },
]) {
  const asked: unknown[] = [];
  const answer = await claims
    .run(claim, { as: desk, onProgress: ({ last }) => asked.push(...(last ? [last.task] : [])) })
    // Nobody's claim is an error with a code. A link that fails is the end: it was his.
    .catch((error: Error) =>
      isTellaskError(error) ? `${error.code}: ${error.message}` : `${error}`,
    );
  console.log(`${claim.euros} for ${claim.why || '?'}: ${answer} (asked: ${asked.join(', ')})`);
}

await bus.close();
