// 17 Busy policies: three orders in a row, the second and the third while the first is at work.
import { type Agent, type BusyPolicy, type Context, type Message, MessageBus } from 'tellask';

// A gate stands for slow work, and makes this example print the same every time.
function gate() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

function makeDraughtsman(agent: Agent, busy: BusyPolicy, paper: Promise<void>, log: string[]) {
  const draw = async ({ payload }: Message, context: Context): Promise<void> => {
    log.push(`begins ${payload}`);
    // Whoever interrupts it is heard at once: pass the signal on to what you wait for.
    context.signal.addEventListener('abort', () => log.push(`drops ${payload}`));
    await paper;
    if (context.signal.aborted) return;
    const notes = context.steered().map((note) => note.payload);
    log.push(`ends ${[payload, ...notes].join(' + ')}`);
  };
  agent.subscribe('draw', draw, { busy });
}

async function show(busy: BusyPolicy): Promise<void> {
  const bus = new MessageBus();
  const paper = gate();
  const log: string[] = [];
  makeDraughtsman(bus.register('draughtsman'), busy, paper.opened, log);

  // The first order has begun when the others come.
  const begun = new Promise((resolve) => bus.events.once('started', resolve));
  bus.publish('draw', 'a cat');
  await begun;
  const others = ['a dog', 'a hat'].map((what) => bus.publish('draw', what));
  paper.open();
  await bus.drain();

  console.log(`${busy}: ${log.join(', ')}`);
  for (const [i, other] of others.entries()) {
    const { handled, cancelled, deadLettered } = await other.settled;
    const counts = { handled, cancelled, rejected: deadLettered.length };
    const outcome = Object.entries(counts).find(([, count]) => count > 0)?.[0];
    console.log(`  order ${i + 2} was ${outcome}`);
  }
  await bus.close();
}

for (const busy of ['queue', 'latest', 'interrupt', 'steer', 'reject'] as const) await show(busy);
