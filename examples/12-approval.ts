// 12 Approval: a person answers later, and the agent goes on meanwhile.
import { type Agent, isTellaskError, type Later, MessageBus } from 'tellask';

/** What lies on the desk of the person, by the id of the request. */
type Desk = Map<string, Later>;
type Spend = { readonly what: string; readonly euros: number };

function makeTreasurer(agent: Agent, desk: Desk): void {
  agent.serve('approve.spend', (request, context) => {
    const { euros } = request.payload as Spend;
    if (euros <= 50) return 'approved by rule';
    // Out of the mailbox from here: nothing waits behind the person.
    const later = context.defer();
    desk.set(later.id, later);
    later.signal.addEventListener('abort', () => desk.delete(later.id));
    return later;
  });
}

function show(title: string): void {
  console.log(title);
  for (const { from, input, status } of bus.pending({ topic: 'approve.spend' })) {
    const { what, euros } = input as Spend;
    console.log(`  ${from} asks for ${euros} euros: ${what} (${status})`);
  }
}

const bus = new MessageBus();
const desk: Desk = new Map();
makeTreasurer(bus.register('treasurer'), desk);
const ann = bus.register('ann');
const ask = (what: string, euros: number, timeoutMs = 60_000): Promise<void> =>
  ann
    .request('approve.spend', { what, euros }, { timeoutMs })
    .then((answer) => console.log(`${what}: ${answer}`))
    .catch((error: unknown) =>
      console.log(`${what}: ${isTellaskError(error) ? error.code : error}`),
    );

const asked = [ask('a lathe', 900), ask('a ship', 9_000), ask('a moon', 90_000, 40)];
// It is answered at once, though three others wait for a person.
await ask('tea', 5);
show('On the desk:');

// Nobody has time for the moon: its asker gives up, and it leaves the desk by itself.
await asked[2];
show('After a while:');

// The person: says yes to the first, and no to what is left.
const [lathe, ship] = bus.pending({ topic: 'approve.spend' }).map(({ id }) => desk.get(id));
lathe?.answer('approved by Grace');
ship?.fail(new Error('not this year'));
await Promise.all(asked);
console.log(`A second answer changes nothing: ${lathe?.answer('refused')}`);

await bus.close();
