import type { Env, MessageBus } from '../../dist/index.js';
import type { Scenario } from '../../dist/testing.js';
import {
  AT_A_TIME,
  type Book,
  type Contender,
  type HandlerShape,
  open,
  type PubSub,
  RESPONDERS,
  type Society,
  withAge,
} from '../contender.ts';
import { Counter } from '../counter.ts';

const handler: HandlerShape = { parameters: 'message, context', payload: 'message.payload' };

/** The built library, as a program would import it. */
const library = (): Promise<typeof import('../../dist/index.js')> => import('../../dist/index.js');

async function pubSub(): Promise<PubSub> {
  const { MessageBus } = await library();
  const bus = new MessageBus();
  return {
    handler,
    subscribe: (pattern, handle) => bus.subscribe(pattern, handle),
    unsubscribe: (_pattern, _handle, subscription) =>
      (subscription as ReturnType<typeof bus.subscribe>).unsubscribe(),
    publish: (topic, payload) => bus.publish(topic, payload),
  };
}

/** A bus and a paused agent: what the agent gets stays where it is. */
async function paused() {
  const { MessageBus } = await library();
  const bus = new MessageBus();
  const agent = bus.register('holder', { capacity: Number.POSITIVE_INFINITY });
  agent.subscribe('note', () => {});
  agent.serve('ask', () => 1);
  agent.pause();
  return bus;
}

/** The envelopes as a handler that keeps them has them: made by the bus, held by nothing else. */
async function envelopes(count: number): Promise<unknown> {
  const { MessageBus } = await library();
  const bus = new MessageBus();
  const kept: unknown[] = [];
  bus.subscribe('note', (message) => void kept.push(message), { capacity: count });
  for (let index = 0; index < count; index += 1) bus.publish('note', 1);
  await bus.drain();
  return kept;
}

async function queuedMessages(count: number): Promise<unknown> {
  const bus = await paused();
  for (let index = 0; index < count; index += 1) bus.publish('note', 1);
  return bus;
}

async function pendingRequests(count: number): Promise<unknown> {
  const bus = await paused();
  const answers: Promise<unknown>[] = [];
  for (let index = 0; index < count; index += 1) answers.push(bus.request('ask', 1));
  return answers;
}

async function idleAgents(count: number): Promise<unknown> {
  const { MessageBus } = await library();
  const bus = new MessageBus();
  for (let index = 0; index < count; index += 1) {
    bus.register(`agent-${index}`).serve('ask', () => 1);
  }
  return bus;
}

const A_TURN = 1_000;

function publisher(bus: MessageBus): (messages: number) => Promise<void> {
  const counter = new Counter();
  bus.subscribe('note', () => counter.add(1));
  return async (messages) => {
    for (let left = messages; left > 0; left -= A_TURN) {
      const handled = counter.expect(A_TURN);
      for (let index = 0; index < A_TURN; index += 1) bus.publish('note', 1);
      await handled;
    }
  };
}

/** Hands everything on: what it costs is what calling an Env costs. */
class BetweenEnv implements Env {
  readonly direct: boolean;
  readonly faults: Env['faults'];
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
    this.direct = env.direct;
    this.faults = env.faults;
  }

  now(): number {
    return this.#env.now();
  }

  wall(): number {
    return this.#env.wall();
  }

  random(): number {
    return this.#env.random();
  }

  idPrefix(): string {
    return this.#env.idPrefix();
  }

  post(lane: Parameters<Env['post']>[0]): void {
    this.#env.post(lane);
  }

  setTimer(...args: Parameters<Env['setTimer']>): ReturnType<Env['setTimer']> {
    return this.#env.setTimer(...args);
  }
}

async function society(): Promise<(count: number) => Society> {
  const { MessageBus } = await library();
  const { AgentRegistry } = await import('../../dist/agents.js');
  return (count) => {
    const bus = new MessageBus();
    const registry = new AgentRegistry(bus);
    for (let place = 1; place <= count; place += 1) {
      const capabilities = place === count ? [{ id: 'work' }, { id: 'more' }] : [{ id: 'work' }];
      const agent = registry.register({ name: `agent-${place}`, capabilities });
      agent.serve('work', () => 1);
    }
    return {
      find: () => registry.find({ capability: 'more' }),
      ask: () => bus.request('work', 1),
    };
  };
}

export const contender: Contender = {
  name: 'tellask',
  abilities: {
    society,
    entry: () => new URL('../../dist/bundle/index.js', import.meta.url).href,
    pubSub,
    wildcards: pubSub,
    holder: () => ({ envelopes, queuedMessages, pendingRequests, idleAgents }),
    policies: async () => {
      const { circuitBreaker, compose, retry, timeout } = await library();
      return {
        retryAndBreaker: () => {
          const policy = compose(retry(), circuitBreaker());
          return (work) => policy.execute(work);
        },
        openBreaker: async () => {
          const policy = circuitBreaker();
          await open(policy);
          return (work) => policy.execute(work);
        },
        timeout: () => {
          const policy = timeout({ timeoutMs: 60_000 });
          return (work) => policy.execute(work);
        },
      };
    },
    bulkhead: async () => {
      const { bulkhead } = await library();
      const policy = bulkhead({ limit: AT_A_TIME, queue: Number.POSITIVE_INFINITY });
      return (work) => policy.execute(work);
    },
    documents: async () => {
      const { StateManager } = await library();
      return (book, maxVersions) => {
        const history = { maxVersions, maxBytes: Number.POSITIVE_INFINITY };
        const state = new StateManager({ history, maxValueBytes: Number.POSITIVE_INFINITY });
        state.set('book', book);
        return {
          frozen: true,
          setAge: (chapter, item, age) =>
            void state.update('book', (before) => withAge(before as Book, chapter, item, age)),
          current: () => state.get('book')?.value as Book,
          past: (back) => {
            const newest = state.get('book')?.version ?? 0;
            return state.getVersion('book', newest - back).value as Book;
          },
          kept: () => state.history('book').map(({ value }) => value as Book),
        };
      };
    },
    differ: async () => {
      const { StateManager } = await library();
      return (book) => {
        const state = new StateManager();
        state.set('book', book);
        state.set('book', withAge(book, 5, 50, 8));
        return () => state.diff('book', 1, 2);
      };
    },
    breakers: async () => {
      const { circuitBreaker } = await library();
      return async (count) => {
        const breaker = circuitBreaker({ maxCircuits: count });
        for (let index = 0; index < count; index += 1) {
          await breaker.for(`agent-${index}`).execute(() => index);
        }
        return breaker;
      };
    },
    asker: async () => {
      const { MessageBus } = await library();
      const bus = new MessageBus();
      const agent = bus.register('math', { capacity: Number.POSITIVE_INFINITY });
      agent.serve('math.next', ({ payload }) => (payload as number) + 1);
      return { ask: (value) => bus.request('math.next', value) };
    },
    guardedAsker: async () => {
      const { circuitBreaker, compose, MessageBus, retry } = await library();
      const bus = new MessageBus();
      const agent = bus.register('math', { capacity: Number.POSITIVE_INFINITY });
      agent.serve('math.next', ({ payload }) => (payload as number) + 1);
      const policy = compose(retry(), circuitBreaker());
      return { ask: (value) => bus.request('math.next', value, { timeoutMs: 30_000, policy }) };
    },
    laterAsker: async () => {
      const { MessageBus } = await library();
      const bus = new MessageBus();
      bus
        .register('math')
        .serve('math.next', ({ payload }, context) =>
          context.defer((later) => later.answer((payload as number) + 1)),
        );
      return { ask: (value) => bus.request('math.next', value) };
    },
    streamer: async () => {
      const { MessageBus } = await library();
      const bus = new MessageBus();
      bus.register('counter').serve('count', async function* ({ payload }) {
        for (let chunk = 1; chunk <= (payload as number); chunk += 1) yield chunk;
      });
      return { stream: (chunks) => bus.stream('count', chunks) };
    },
    watched: async () => {
      const { StateManager } = await library();
      const state = new StateManager();
      return {
        watch: () => state.watch('doc.*'),
        write: (value) => void state.set('doc.7', value),
      };
    },
    gatherer: async () => {
      const { MessageBus } = await library();
      const bus = new MessageBus();
      for (let index = 0; index < RESPONDERS; index += 1) {
        const agent = bus.register(`math-${index}`, { capacity: Number.POSITIVE_INFINITY });
        agent.serve('math.next', ({ payload }) => (payload as number) + 1);
      }
      return {
        gather: async (value) => (await bus.gather('math.next', value)).ok.map((one) => one.value),
      };
    },
    taskQueue: async () => {
      const { MessageBus } = await library();
      const bus = new MessageBus();
      const agent = bus.register('worker');
      return {
        handler,
        work: (handle) => agent.subscribe('task.run', handle),
        push: (payload) => bus.send('worker', 'task.run', payload),
      };
    },
    taskBoard: async () => {
      const { MessageBus, StateManager } = await library();
      const { TaskBoard } = await import('../../dist/agents.js');
      const bus = new MessageBus({ state: new StateManager() });
      const board = new TaskBoard(bus);
      const agent = bus.register('worker');
      return {
        handler: { parameters: 'task, context', payload: 'task.input' },
        work: (handle) => board.work(agent, handle),
        push: (payload) => {
          const { id } = board.create({ title: 'row', input: payload });
          void board.ended(id).then(() => board.remove(id));
        },
      };
    },
    batchQueue: async () => {
      const { MessageBus } = await library();
      const bus = new MessageBus();
      const agent = bus.register('worker');
      return {
        handler,
        work: (handle) => {
          const each = (messages: readonly unknown[]): void => {
            for (const message of messages) handle(message);
          };
          agent.subscribeBatch('task.run', each, { batch: { max: 100, waitMs: 0 } });
        },
        push: (payload) => bus.send('worker', 'task.run', payload),
      };
    },
    priorityQueue: async () => {
      const { Lanes } = await import('../../dist/mailbox/lanes.js');
      const lanes = new Lanes<{ priority: number; ticket: number }>({ ageingLimit: 16 });
      return { push: (item) => lanes.push(item), take: () => lanes.take() };
    },
    explorer: async () => {
      const { explore } = await import('../../dist/testing.js');
      const scenario: Scenario = async ({ bus, settle }) => {
        let handled = 0;
        for (const name of ['ann', 'bob', 'cid', 'dan']) {
          bus.register(name).subscribe('task.*', () => void handled++);
        }
        for (let task = 0; task < 5; task += 1) bus.publish('task.run', task);
        await settle();
        if (handled !== 20) throw new Error(`handled ${handled}`);
      };
      return async (seeds) => {
        const { steps } = await explore(scenario, { strategy: 'random', seeds });
        if (steps !== 20) throw new Error(`took ${steps} steps`);
      };
    },
    seam: async () => {
      const { MessageBus } = await library();
      const { realEnv } = await import('../../dist/kernel/real-env.js');
      return {
        bare: publisher(new MessageBus()),
        wrapped: publisher(new MessageBus({ env: new BetweenEnv(realEnv()) })),
      };
    },
    patterns: async () => {
      const { compilePattern } = await import('../../dist/message/pattern.js');
      return { compile: (pattern) => compilePattern(pattern) };
    },
  },
};
