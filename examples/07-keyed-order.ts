// 07 Keyed order: many at a time, yet one at a time and in order for every account.
import { type Agent, MessageBus } from 'tellask';

interface Booking {
  readonly account: string;
  readonly amount: number;
}

// A gate stands for slow work, and makes this example print the same every time.
function gate() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const bank = gate();

function makeTeller(agent: Agent): void {
  agent.subscribe(
    'account.booked',
    async (message) => {
      const { account, amount } = message.payload as Booking;
      console.log(`begin ${account} ${amount}`);
      if (account === 'alice') await bank.opened;
      console.log(`  end ${account} ${amount}`);
    },
    { key: (message) => (message.payload as Booking).account },
  );
}

const bus = new MessageBus();
makeTeller(bus.register('teller', { concurrency: 4 }));

const book = (account: string, amount: number) =>
  bus.publish('account.booked', { account, amount } satisfies Booking);

// Alice's first booking waits for the bank. Her second one waits for her first, while Bob's go on.
book('alice', 1);
book('alice', 2);
book('bob', 10);
const bobsLast = book('bob', 20);

await bobsLast.settled;
console.log('-- the bank opens');
bank.open();
await bus.drain();

await bus.close();
