import { type Agent, type BusInspection, isTellaskError, MessageBus } from 'tellask';
import { AgentRegistry } from 'tellask/agents';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { conservationFault, idleFaults } from '../soak/books.ts';

/** Options of {@link load}. */
export interface LoadOptions {
  readonly agents: number;
  readonly messages: number;
  readonly seed: number;
}

/** What came of it. */
export interface LoadRun {
  readonly agents: number;
  readonly messages: number;
  readonly left: number;
  readonly came: number;
  readonly answered: number;
  readonly failed: number;
  readonly told: number;
  /** How far from the mean the furthest of the agents was that were there all the time. */
  readonly unevenness: number;
  readonly books: Pick<
    BusInspection,
    'admitted' | 'handled' | 'deadLettered' | 'expired' | 'cancelled'
  >;
  readonly seconds: number;
  readonly faults: readonly string[];
}

/** The most that is said in one turn; how much it is, is left to chance. */
const A_TURN = 100;
/** Of the agents, those that may come and go: one in ten. */
const GUESTS = 0.1;
/** Equal agents are asked equally often, but for so much. */
const UNEVEN = 0.1;
const WORK = 'work';

/** Half of the messages ask whoever can do it, half tell one agent; guests come and go meanwhile. */
export async function load({ agents, messages, seed }: LoadOptions): Promise<LoadRun> {
  const beganAt = performance.now();
  const society = new Society(agents, seed);
  for (let left = messages; left > 0; ) left -= await society.turn(left);
  await society.bus.drain({ timeoutMs: Infinity });
  const run = society.end((performance.now() - beganAt) / 1_000);
  await society.bus.close();
  return { agents, messages, ...run };
}

class Society {
  readonly bus = new MessageBus();
  readonly #registry = new AgentRegistry(this.bus);
  readonly #random: () => number;
  /** How often each of those was asked that are there all the time. */
  readonly #asked = new Map<string, number>();
  readonly #steady: string[] = [];
  readonly #guests: Agent[] = [];
  readonly #faults = new Set<string>();
  #left = 0;
  #came = 0;
  #answered = 0;
  #failed = 0;
  #told = 0;
  #said = 0;

  constructor(agents: number, seed: number) {
    this.#random = seededRandom(seed);
    const guests = Math.floor(agents * GUESTS);
    for (let place = 0; place < agents - guests; place += 1) this.#employ(`agent-${place}`);
    for (let place = 0; place < guests; place += 1) this.#welcome();
  }

  /** Asks and tells, has a guest replaced, and looks at the books. */
  async turn(most: number): Promise<number> {
    const messages = Math.min(most, 1 + Math.floor(this.#random() * A_TURN));
    const answers: Promise<void>[] = [];
    for (let index = 0; index < messages; index += 1) {
      if (index % 2 === 0) answers.push(this.#ask(index));
      else this.#tell(index);
    }
    // Of a thousand one a turn, of fewer less often.
    if (this.#random() < this.#steady.length / 900) this.#replaceGuest();
    this.#note(conservationFault(this.bus.inspect()));
    await Promise.all(answers);
    return messages;
  }

  end(seconds: number) {
    const { admitted, handled, deadLettered, expired, cancelled } = this.bus.inspect();
    const counts = [...this.#asked.values()];
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const unevenness = Math.max(...counts.map((count) => Math.abs(count - mean))) / mean;
    if (unevenness > UNEVEN) this.#note(`asked ${(unevenness * 100).toFixed(1)} % off the mean`);
    this.#note(conservationFault(this.bus.inspect()));
    for (const fault of idleFaults(this.bus.inspect())) this.#note(fault);
    const cards = this.#registry.find({ capability: WORK }).length;
    const there = this.bus.agents().length;
    if (cards !== there) this.#note(`${cards} cards of ${there} agents`);
    return {
      left: this.#left,
      came: this.#came - this.#guests.length,
      answered: this.#answered,
      failed: this.#failed,
      told: this.#told,
      unevenness,
      books: { admitted, handled, deadLettered, expired, cancelled },
      seconds,
      faults: [...this.#faults],
    };
  }

  #note(fault: string | undefined): void {
    if (fault !== undefined) this.#faults.add(fault);
  }

  #employ(name: string): Agent {
    const agent = this.#registry.register({ name, capabilities: [{ id: WORK, tags: ['load'] }] });
    const counts = name.startsWith('agent-');
    if (counts) {
      this.#asked.set(name, 0);
      this.#steady.push(name);
    }
    agent.serve(WORK, ({ payload }) => {
      if (counts) this.#asked.set(name, (this.#asked.get(name) ?? 0) + 1);
      return payload;
    });
    agent.subscribe(`note.${name}`, () => {
      this.#told += 1;
    });
    return agent;
  }

  #welcome(): void {
    this.#came += 1;
    this.#guests.push(this.#employ(`guest-${this.#came}`));
  }

  /** It leaves with what it was asked in hand; who asked it hears of that. */
  #replaceGuest(): void {
    if (this.#guests.length === 0) return;
    const place = Math.floor(this.#random() * this.#guests.length);
    const [guest] = this.#guests.splice(place, 1);
    void guest?.leave();
    this.#left += 1;
    this.#welcome();
  }

  async #ask(payload: number): Promise<void> {
    try {
      const answer = await this.bus.request(WORK, payload, { to: { capability: WORK } });
      if (answer !== payload) this.#note('an answer was not to what was asked');
      this.#answered += 1;
    } catch (error) {
      if (!isTellaskError(error)) throw error;
      this.#failed += 1;
    }
  }

  #tell(payload: number): void {
    const name = this.#steady[this.#said % this.#steady.length];
    this.#said += 1;
    this.bus.publish(`note.${name}`, payload);
  }
}
