// 28 Transactions and locks: all or nothing, said only when it is so, and one at a time.
import { type Agent, isTellaskError, MessageBus, StateManager } from 'tellask';

const state = new StateManager({
  // Nobody but the bank touches purses.
  access: { default: 'allow', rules: [{ effect: 'deny', agents: 'guest-*', on: 'purse.*' }] },
});
const bus = new MessageBus({ state });
bus.subscribe('paid', ({ from, payload }) => console.log(`${from} says paid:`, payload));

function makeBank(agent: Agent): void {
  agent.serve('pay', async (request, context) => {
    const { from, to, euros } = request.payload as { from: string; to: string; euros: number };
    await context.state.transaction((tx) => {
      const left = tx.update(`purse.${from}`, (purse) => Number(purse) - euros);
      if (Number(left.value) < 0) throw new RangeError(`${from} has not enough`);
      tx.update(`purse.${to}`, (purse) => Number(purse) + euros);
      tx.publish('paid', { from, to, euros });
    });
  });
}
makeBank(bus.register('bank'));
state.set('purse.ann', 10);
state.set('purse.bob', 0);
const purses = () => state.list('purse.*').map(({ key, value }) => `${key} ${value}`);

await bus.request('pay', { from: 'ann', to: 'bob', euros: 4 });
await bus
  .request('pay', { from: 'ann', to: 'bob', euros: 40 })
  .catch((error: unknown) => console.log(String(error)));
await bus.drain();
console.log(purses());

const guest = bus.register('guest-1');
try {
  guest.state.get('purse.ann');
} catch (error) {
  console.log(isTellaskError(error, 'TELLASK_DENIED') && error.message);
}

// A lock has a lease. Who has lost it cannot write with it any more.
const [slow, quick] = [bus.register('slow'), bus.register('quick')];
const lost = await slow.state.lock('report', { leaseMs: 20 });
await quick.state.withLock('report', (lock) => {
  quick.state.set('report', 'by quick', { lock });
});
try {
  slow.state.set('report', 'by slow', { lock: lost });
} catch (error) {
  console.log(isTellaskError(error, 'TELLASK_LOCK_LOST') && error.message);
}
console.log(state.get('report')?.value);
await bus.close();
