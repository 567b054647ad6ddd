// 05 Back-pressure and overflow: what a full mailbox does is a choice, never an accident.
import { type Agent, isTellaskError, MessageBus } from 'tellask';

function makeSlowpoke(agent: Agent): string[] {
  const seen: string[] = [];
  agent.subscribe('job.*', (message) => {
    seen.push(`${message.payload}`);
  });
  // Paused, it takes nothing, so that its mailbox fills up before our eyes.
  agent.pause();
  return seen;
}

const bus = new MessageBus();
const JOBS = [1, 2, 3, 4];

for (const overflow of ['reject', 'drop-oldest', 'drop-newest'] as const) {
  const agent = bus.register(overflow, { capacity: 2, overflow });
  const seen = makeSlowpoke(agent);
  for (const job of JOBS) {
    try {
      bus.send(overflow, 'job.do', job);
    } catch (error) {
      // Only `reject` refuses the sender of a directed message.
      if (isTellaskError(error, 'TELLASK_MAILBOX_FULL')) console.log(`${job}: ${error.message}`);
    }
  }
  agent.resume();
  await bus.drain();
  const letters = bus.deadLetters.list({ recipient: overflow, reason: 'overflow' });
  const dropped = letters.map((letter) => letter.message.payload);
  console.log(`${overflow}: handled ${seen.join(' ')}, dropped ${dropped.join(' ') || 'nothing'}`);
}

// `wait` keeps everything: who awaits `accepted` goes at the pace of the recipient.
const patient = bus.register('wait', { capacity: 2, overflow: 'wait' });
const seen = makeSlowpoke(patient);
const receipts = JOBS.map((job) => bus.send('wait', 'job.do', job));
const { queued, waiting } = patient.inspect();
console.log(`wait: ${queued} queued, ${waiting} waiting outside`);
patient.resume();
await Promise.all(receipts.map((receipt) => receipt.accepted));
await bus.drain();
console.log(`wait: handled ${seen.join(' ')}`);

// A fan-out copy that found no place is named in the receipt; the four from above get theirs.
makeSlowpoke(bus.register('tiny', { capacity: 0 }));
const { recipients, overflowed } = bus.publish('job.news', 'news');
console.log(`published to ${recipients.length}, overflowed: ${overflowed.join(', ')}`);

await bus.close({ mode: 'abort' });
