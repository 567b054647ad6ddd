import type { Agent, MessageBus } from 'tellask';

/** Everything a soak decides by chance comes from one seeded source. */
export type Random = () => number;

const overflows = ['reject', 'drop-oldest', 'drop-newest', 'wait'] as const;
const topics = 5_000;

/** Settles when the delivery is given up, and then fails as a handler that was cut off does. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Workers with every overflow strategy, whose handlers throw, are late and are retried. */
export function registerWorkers(bus: MessageBus, random: Random): void {
  for (const overflow of overflows) {
    const worker = bus.register(`worker-${overflow}`, { capacity: 200, overflow });
    worker.subscribe(
      'file.*.found',
      (_message, context) => {
        const chance = random();
        if (chance < 0.02) throw new Error('the disk is full');
        if (chance < 0.0205) return untilAborted(context.signal);
        return undefined;
      },
      { timeoutMs: 2, retry: { maxAttempts: 3, baseMs: 1, maxMs: 4 } },
    );
    worker.subscribe('task.**', () => {}, { key: (message) => message.topic });
  }
}

/** Two who answer: at once, or too late for some of their askers. */
export function registerResponders(bus: MessageBus, random: Random): void {
  for (const name of ['teller', 'ponderer']) {
    bus.register(name).serve('math.next', ({ payload }, context) => {
      if (random() < 0.001) return untilAborted(context.signal);
      if (random() < 0.01) throw new Error('no answer today');
      return Number(payload) + 1;
    });
  }
}

/** One handler that never ends: its agent goes on after time-out and grace, without it. */
export function registerHanger(bus: MessageBus): void {
  bus.register('hanger').subscribe('hang', () => new Promise(() => {}), { timeoutMs: 1 });
}

/** Agents that come under a few names and leave with mail in their boxes. */
export class Guests {
  readonly #bus: MessageBus;
  #present: { agent: Agent; patience: number } | undefined;
  #came = 0;

  constructor(bus: MessageBus) {
    this.#bus = bus;
  }

  /** Called for every message; a guest stays for some hundred of them. */
  pass(random: Random): void {
    this.#present ??= this.#welcome(random);
    this.#present.patience -= 1;
    if (this.#present.patience > 0) return;
    void this.#present.agent.leave();
    this.#present = undefined;
  }

  #welcome(random: Random): { agent: Agent; patience: number } {
    this.#came += 1;
    const agent = this.#bus.register(`guest-${this.#came % 7}-${this.#came % 1_000}`);
    agent.subscribe(`{file,task}.${this.#came % topics}.*`, () => {});
    agent.subscribe(`guest.${this.#came}.**`, () => {});
    return { agent, patience: 100 + Math.floor(random() * 400) };
  }
}

/** Says one message of a kind that chance picks. Refusals are part of the traffic. */
export function say(bus: MessageBus, random: Random, index: number): void {
  const kind = random();
  const file = Math.floor(random() * topics);
  if (kind < 0.5) bus.publish(`file.${file}.found`, { path: `src/${file}.md`, index });
  else if (kind < 0.6) bus.publish(`file.n${index}.found`, index, { ttlMs: 1 });
  else if (kind < 0.65) bus.publish(`file.${file}.found`, index, { delayMs: 1 + random() * 5 });
  else if (kind < 0.7) bus.publish('unheard.topic', index, { priority: Math.floor(random() * 11) });
  else if (kind < 0.72) bus.publish(`task.${file}`, index, { dedupeKey: `key-${file % 1_000}` });
  else if (kind < 0.85) sendTask(bus, random, file);
  else bus.request('math.next', index, { timeoutMs: 1 + random() * 20 }).catch(() => {});
}

/** A full mailbox refuses a directed message: that is an answer and no fault. */
function sendTask(bus: MessageBus, random: Random, file: number): void {
  const overflow = overflows[Math.floor(random() * overflows.length)] ?? 'reject';
  try {
    bus.send(`worker-${overflow}`, `task.${file}`, { file }, { ttlMs: 50 });
  } catch {
    // counted by the bus as refused
  }
}
