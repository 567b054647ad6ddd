// 46 The contract net: a job is announced, who wants it bids, and the best bid gets it.
import { type Agent, MessageBus, type Voice } from 'tellask';

type Job = { readonly what: string; readonly hours: number };

/** Bids, or says nothing at all. */
function makeContractor(agent: Agent, euros: number, maxHours: number): void {
  agent.serve('job.bid', (request) => {
    const { hours } = request.payload as Job;
    return hours > maxHours ? undefined : euros * hours;
  });
  agent.serve('job.do', (request) => {
    const { what } = request.payload as Job;
    if (agent.name === 'cheap-and-late') throw new Error('the van broke down');
    return `${what}, done by ${agent.name}`;
  });
  agent.subscribe('job.lost', ({ payload }) => console.log(`  ${agent.name} lost: ${payload}`));
}

/** Announces, awards to the best, and to the next best when that one fails. */
async function tender(voice: Voice, job: Job): Promise<unknown> {
  console.log(`${job.what}, ${job.hours} hours`);
  // Who is silent for too long has not bid; what came until then counts.
  const { ok, cancelled } = await voice.gather('job.bid', job, { timeoutMs: 50 });
  const bids = ok.flatMap(({ from, value }) =>
    typeof value === 'number' ? [{ from, euros: value }] : [],
  );
  bids.sort((a, b) => a.euros - b.euros || a.from.localeCompare(b.from));
  console.log(`  bids: ${bids.map(({ from, euros }) => `${from} ${euros}`).join(', ') || 'none'}`);
  for (const { from } of cancelled) console.log(`  silent: ${from}`);
  for (const { from, euros } of bids) {
    try {
      const result = await voice.request('job.do', job, { to: from });
      voice.broadcast({ capability: 'build' }, 'job.lost', job.what, { exclude: from });
      return `${result} for ${euros} euros`;
    } catch (error) {
      console.log(`  ${from} failed: ${(error as Error).message}`);
    }
  }
  return `nobody does ${job.what}`;
}

const bus = new MessageBus();
const build = { capabilities: ['build'] };
makeContractor(bus.register('cheap-and-late', build), 10, 8);
makeContractor(bus.register('solid', build), 20, 8);
makeContractor(bus.register('large', build), 30, 100);
bus.register('asleep').serve('job.bid', (_request, context) => context.defer());

for (const job of [
  { what: 'a fence', hours: 5 },
  { what: 'a house', hours: 90 },
  { what: 'a tower', hours: 900 },
]) {
  console.log(' ', await tender(bus, job));
  await bus.drain();
}
await bus.close();
