import type { SagaContext, SagaStep, Store, Write } from '../../src/index.ts';
import { MemoryStore } from '../../src/index.ts';

type AnyStep = SagaStep<unknown, object, string>;
type AnyContext = SagaContext<unknown, object>;

/** What steps do, in order, and what of it stands. */
export class World {
  readonly log: string[] = [];
  readonly standing = new Set<string>();

  /** A step that has an effect, and one that takes it back. `run` replaces what it does besides. */
  step(name: string, { run, undo, ...rest }: Doing = {}): AnyStep {
    return {
      run: async (_input, context) => {
        this.log.push(name);
        this.standing.add(name);
        return ((await run?.(context)) ?? name) as string;
      },
      compensate: async (result, context) => {
        this.log.push(`undo ${name} ${result}`);
        await undo?.(context);
        this.standing.delete(name);
      },
      ...rest,
    };
  }

  /** A step that fails without an effect. */
  failing(name: string, error: unknown = new Error(`${name} failed`)): AnyStep {
    return {
      run: () => {
        this.log.push(name);
        throw error;
      },
      compensate: (result) => void this.log.push(`undo ${name} ${result}`),
    };
  }
}

interface Doing extends Partial<Omit<AnyStep, 'run' | 'compensate'>> {
  readonly run?: (context: AnyContext) => unknown;
  readonly undo?: (context: AnyContext) => unknown;
}

/** The store as another process sees it: sagas that run here are not known there. */
export function elsewhere(store: Store): Store {
  return {
    get: (key) => store.get(key),
    scan: (prefix, options) => store.scan(prefix, options),
    read: (options) => store.read(options),
    commit: (writes) => store.commit(writes),
    close: () => store.close(),
  };
}

/** A store of which each commit passes through the hands of a test. */
export function watched(
  commit: (writes: readonly Write[], inner: MemoryStore) => ReturnType<Store['commit']>,
): Store & { readonly inner: MemoryStore } {
  const inner = new MemoryStore();
  return { ...elsewhere(inner), commit: (writes) => commit(writes, inner), inner };
}

/** What is written about a saga, commit by commit: the status and the state of each step. */
export function story(store: MemoryStore): string[] {
  return store.toJSON().commits.map(({ writes }) => {
    const { status, steps } = JSON.parse(writes[0]?.value ?? '{}');
    const states = Object.entries(steps as Record<string, { state: string }>);
    return [status, ...states.map(([key, { state }]) => `${key}:${state}`)].join(' ');
  });
}

/** Lets all promises that can go on go on. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
