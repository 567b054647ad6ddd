// 31 Fencing: a lock keeps others away while it lasts, and a token keeps away who lost it unaware.
import { type Agent, isTellaskError, type Lock, MessageBus, StateManager } from 'tellask';

// A printer outside of the state: it can only compare the token with the last one that it saw.
function makePrinter() {
  let highest = 0;
  return (text: string, token: number): string => {
    if (token < highest) return `refused: token ${token} is older than ${highest}`;
    highest = token;
    return `printed: ${text}`;
  };
}
const print = makePrinter();

function makeReporter(agent: Agent, think: (lock: Lock) => Promise<unknown>): void {
  agent.serve(`report.${agent.name}`, (_, { state }) =>
    state.withLock(
      'printer',
      async (lock) => {
        console.log(`${agent.name} holds the printer`);
        await think(lock);
        console.log(`${agent.name}:`, print(`report of ${agent.name}`, lock.token));
        state.set('report.last', agent.name, { lock });
      },
      { leaseMs: 20 },
    ),
  );
}

const bus = new MessageBus({ state: new StateManager() });
let quickIsDone = () => {};
const quickWasThere = new Promise<void>((resolve) => {
  quickIsDone = resolve;
});
// This one hangs for longer than its lease, and does not look at lock.signal.
makeReporter(bus.register('slow'), () => quickWasThere);
makeReporter(bus.register('quick'), (lock) => Promise.resolve(lock.extend(60_000)));

const slow = bus.request('report.slow', {}).catch((error: unknown) => {
  console.log('slow:', isTellaskError(error, 'TELLASK_LOCK_LOST') && error.message);
});
await bus.request('report.quick', {}); // waits in line until the lease of the other is over
quickIsDone();
await slow;
await bus.drain();
console.log('the last report:', bus.state.get('report.last')?.value);
console.log('locks that are left:', bus.state.locks().length);

// Two who need the same two things ask for both at once: they never wait for each other.
const [ann, bob] = [bus.register('ann'), bus.register('bob')];
const both = async ({ name, state }: Agent, keys: readonly string[]) => {
  const set = await state.lockAll(keys);
  console.log(`${name} has ${set.locks.map(({ key }) => key).join(' and ')}`);
  set.release();
};
await Promise.all([both(ann, ['paper', 'ink']), both(bob, ['ink', 'paper'])]);
await bus.close();
