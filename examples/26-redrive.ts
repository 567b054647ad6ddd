// 26 Redrive with care: a dry run, a rate, quarantine, another recipient, and letters in a store.
import { type Agent, type BusOptions, MemoryStore } from 'tellask';
import { createTestBus } from 'tellask/testing';

function makeMailer(agent: Agent, server: { readonly up: boolean }): void {
  agent.subscribe('mail.send', ({ payload }) => {
    if (!server.up) throw new Error('Connection refused');
    if (payload === 'to nobody') throw new Error('No such address');
    console.log(`  sent ${payload}`);
  });
}

function makeArchivist(agent: Agent): void {
  agent.subscribe('mail.*', ({ payload }) => console.log(`  archived ${payload}`));
}

const store = new MemoryStore(); // any Store will do: what is in it outlives the process
const options: BusOptions = { deadLetters: { store, maxRedrives: 1 } };
const server = { up: false };

const t = createTestBus(options); // its clock moves only when it is told to
makeMailer(t.bus.register('mailer'), server);
for (const mail of ['to ann', 'to nobody', 'to bob', 'to eve']) t.bus.publish('mail.send', mail);
await t.settle();
console.log(`${t.bus.deadLetters.size} letters`);
await t.bus.close(); // the letters are in the store now

const next = createTestBus(options);
const { deadLetters } = next.bus;
makeMailer(next.bus.register('mailer'), server);
console.log(`the next process finds ${await deadLetters.load()}`);

const plan = await deadLetters.redrive({ topic: 'mail.*' }, { dryRun: true });
console.log(`would send ${plan.targets.length} to ${plan.targets[0]?.to}`);

server.up = true;
const pass = deadLetters.redrive({}, { rate: { limit: 2, perMs: 1_000 } });
for (const ms of [0, 500, 500]) {
  await next.clock.advance(ms);
  console.log(`${next.clock.nowMs} ms, ${deadLetters.size} letters left`);
}
await pass;

const { skipped } = await deadLetters.redrive();
console.log(`left alone: ${skipped.map(({ why }) => why)}`);

makeArchivist(next.bus.register('archivist'));
await deadLetters.redrive({ quarantined: true }, { to: 'archivist' });
await next.settle();
await deadLetters.flushed();
console.log(`${deadLetters.size} letters, ${(await store.scan('letter/')).length} in the store`);
await next.bus.close();
