import type * as index from '../../src/index.ts';
import type { StateView } from '../../src/index.ts';
import {
  checkLinearizable,
  type RecordedOperation,
  type SequentialModel,
} from '../../src/testing/linearizable.ts';
import { randomChoice } from '../../src/testing/random-choice.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import type * as sim from '../../src/testing/sim-env.ts';

/** The library, or a copy of it with something wrong in it. */
export interface StateLibrary {
  readonly StateManager: typeof index.StateManager;
  readonly SimEnv: typeof sim.SimEnv;
}

type Input =
  | { readonly do: 'get' }
  | { readonly do: 'set' | 'increase' | 'transact'; readonly by: number }
  | { readonly do: 'delete' | 'fail' }
  | { readonly do: 'swap'; readonly expected: number; readonly by: number };

/** What an operation gave: the version and the value, or why it gave none. */
type Output = string;

interface Key {
  readonly version: number;
  readonly value: number | undefined;
}

/** One key, as everybody who reads the documentation would write it down. */
const keyModel: SequentialModel<Key, Input, Output> = {
  initial: () => ({ version: 0, value: undefined }),
  step(state, input, output) {
    const [after, expected] = sequentially(state, input);
    // A transaction may have given up: then it has done nothing.
    if (input.do === 'transact' && output === 'TELLASK_STATE_CONFLICT') return { state };
    return expected === output ? { state: after } : undefined;
  },
};

function sequentially(state: Key, input: Input): [after: Key, output: Output] {
  const { version, value } = state;
  const written = (next: number | undefined): [Key, Output] => {
    const after = { version: version + 1, value: next };
    return [after, shown(after)];
  };
  switch (input.do) {
    case 'get':
      return [state, shown(value === undefined ? undefined : state)];
    case 'set':
      return written(input.by);
    case 'increase':
    case 'transact':
      return written((value ?? 0) + input.by);
    case 'delete':
      return value === undefined ? [state, shown(undefined)] : written(undefined);
    case 'fail':
      return [state, 'Error'];
    case 'swap':
      return input.expected === (value === undefined ? 0 : version)
        ? written(input.by)
        : [state, 'TELLASK_STATE_CONFLICT'];
  }
}

const shown = (key: { version: number; value?: unknown } | undefined): Output =>
  key === undefined ? 'nothing' : `${key.version}: ${String(key.value)}`;

const KEYS = ['k.a', 'k.b'];
const KINDS = ['get', 'get', 'set', 'increase', 'swap', 'transact', 'delete', 'fail'] as const;

/** Clients that do this and that to two keys, on a schedule of chance. */
export class StateProgram {
  readonly env: sim.SimEnv;
  readonly state: index.StateManager;
  readonly history: RecordedOperation<Input, Output>[] = [];
  readonly watched: string[] = [];
  readonly #random: () => number;
  /** Counts up with every call and every return. */
  #clock = 0;
  #steps = 0;

  constructor({ SimEnv, StateManager }: StateLibrary, seed: number) {
    this.#random = seededRandom(seed);
    this.env = new SimEnv({ seed, choose: randomChoice(seed) });
    this.state = new StateManager({ env: this.env });
  }

  /** What is wrong; undefined when nothing is. */
  async run(clients: number, operations: number): Promise<string | undefined> {
    const watching = this.#watch();
    const names = Array.from({ length: clients }, (_, i) => `client-${i}`);
    const all = Promise.all(names.map((name) => this.#client(name, operations)));
    await this.env.settle();
    await all;
    await this.state.close();
    await this.env.settle();
    await watching;
    return this.#wrongOrder() ?? this.#wrongWatch();
  }

  /** What the clients saw, looked at as a whole. */
  #wrongOrder(): string | undefined {
    const found = checkLinearizable(this.history, keyModel);
    if (found.linearizable) return undefined;
    const { key, stuck } = found;
    return `${key}: ${JSON.stringify(stuck.input)} of ${stuck.client} gave ${stuck.output}`;
  }

  /** A watcher sees every version once, in the order of the revisions. */
  #wrongWatch(): string | undefined {
    const written = KEYS.flatMap((key) => this.state.history(key));
    const inOrder = written.sort((one, other) => one.revision - other.revision).map(line);
    if (inOrder.join() === this.watched.join()) return undefined;
    return `watched ${this.watched.join()} and not ${inOrder.join()}`;
  }

  async #watch(): Promise<void> {
    for await (const version of this.state.watch('k.*')) this.watched.push(line(version));
  }

  async #client(name: string, operations: number): Promise<void> {
    const view = this.state.as(name);
    for (let i = 0; i < operations; i++) {
      await this.pause();
      const key = KEYS[this.#below(KEYS.length)] as string;
      await this.#operate(view, name, key, this.#input(view, key));
    }
  }

  #input(view: StateView, key: string): Input {
    const by = 1 + this.#below(1_000);
    const kind = KINDS[this.#below(KINDS.length)] as (typeof KINDS)[number];
    if (kind !== 'swap') return { do: kind, by };
    // Often the version that is there, sometimes one of before.
    const version = view.get(key)?.version ?? 0;
    return { do: 'swap', expected: Math.max(0, version - this.#below(3)), by };
  }

  async #operate(view: StateView, client: string, key: string, input: Input): Promise<void> {
    const calledAt = this.#clock++;
    const output = await this.#outputOf(view, key, input);
    this.history.push({ client, key, input, output, calledAt, returnedAt: this.#clock++ });
  }

  async #outputOf(view: StateView, key: string, input: Input): Promise<Output> {
    try {
      return shown(await this.#do(view, key, input));
    } catch (error) {
      return (error as { code?: string }).code ?? (error as Error).name;
    }
  }

  #do(view: StateView, key: string, input: Input) {
    const plus = (by: number) => (value: unknown) => (value as number) + by;
    switch (input.do) {
      case 'get':
        return view.get(key);
      case 'set':
        return view.set(key, input.by);
      case 'increase':
        return view.update(key, plus(input.by), { initial: 0 });
      case 'delete':
        return view.delete(key);
      case 'swap':
        return view.compareAndSet(key, input.expected, input.by);
      case 'fail':
        return view.transaction(async (tx) => {
          tx.set(key, -1);
          await this.pause();
          throw new Error('on purpose');
        });
      case 'transact':
        return view.transaction(async (tx) => {
          const value = tx.get(key)?.value ?? 0;
          await this.pause();
          return tx.set(key, plus(input.by)(value));
        });
    }
  }

  /** Others may go first. */
  pause(): Promise<void> {
    const label = `step ${++this.#steps}`;
    return new Promise((run) =>
      this.env.post({ kind: 'state', label, order: 0, posted: false, run }),
    );
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

function line({ key, version, value }: { key: string; version: number; value?: unknown }): string {
  return `${key}@${version}=${String(value)}`;
}
