// 06 Dead letters and redrive: what could not be handled is kept, and sent again when it can.
import { type Agent, MessageBus, RejectedError } from 'tellask';

interface Printer {
  hasPaper: boolean;
}

function makePrinter(agent: Agent, printer: Printer): void {
  agent.subscribe(
    'page.print',
    (message, context) => {
      // For good: trying it again would not help.
      if (message.payload === '') throw new RejectedError('An empty page is not printed');
      if (!printer.hasPaper) throw new Error('Out of paper');
      console.log(`printed ${message.payload} at attempt ${context.attempt}`);
    },
    { retry: { maxAttempts: 3, baseMs: 1, jitter: 'none' } },
  );
}

const bus = new MessageBus();
const printer: Printer = { hasPaper: false };
makePrinter(bus.register('printer'), printer);

bus.deadLetters.subscribe((letter) => {
  const { reason, attempts, error } = letter;
  console.log(`dead letter: ${reason} after ${attempts} attempts, ${error?.message}`);
});

bus.send('printer', 'page.print', 'page one');
bus.send('printer', 'page.print', '');
await bus.drain();
console.log(`letters: ${bus.deadLetters.size}`);

// The cause is gone: the letters that died of it are sent again, to the printer that failed.
printer.hasPaper = true;
const filter = { reason: 'max-attempts' } as const;
const plan = await bus.deadLetters.redrive(filter, { dryRun: true });
console.log(`would redrive ${plan.redriven.length}`);

const { receipts } = await bus.deadLetters.redrive(filter);
for (const receipt of receipts) console.log(`handled: ${(await receipt.settled).handled}`);

// The rejected one is of no use to anybody.
console.log(
  `purged ${bus.deadLetters.purge({ reason: 'rejected' })}, left ${bus.deadLetters.size}`,
);

await bus.close();
