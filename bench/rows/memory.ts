import { ability, type Contender, type Handler, type Holder } from '../contender.ts';
import { Counter } from '../counter.ts';
import { makeHandlers } from '../handlers.ts';
import { heapSlope, type Make } from '../heap-slope.ts';
import type { Goal, Row, Sampler } from '../row.ts';

const nodeFlags = ['--expose-gc'];

/** A library takes memory for itself and its first uses, which one sample before counts away. */
async function slopes(make: Make): Promise<Sampler> {
  await heapSlope(make);
  return { sample: () => heapSlope(make) };
}

/** Subscribes to topics in turn, with functions that exist anyway. */
async function subscribing(contender: Contender, topics: readonly string[]): Promise<Make> {
  const { handler: shape } = await ability(contender, 'pubSub');
  const handlers: Handler[] = makeHandlers(shape, new Counter(), 100);
  return async (count) => {
    const bus = await ability(contender, 'pubSub');
    for (let index = 0; index < count; index += 1) {
      const handler = handlers[Math.floor(index / topics.length)];
      if (handler !== undefined) bus.subscribe(topics[index % topics.length] ?? '', handler);
    }
    return bus;
  };
}

function subscriptions(name: string, title: string, topics: number, goals: readonly Goal[]): Row {
  return {
    name,
    title,
    unit: 'bytes',
    needs: 'pubSub',
    without: ['structured-clone', 'direct call'],
    nodeFlags,
    goals,
    prepare: async (contender) => {
      const names = Array.from({ length: topics }, (_, index) => `report.${index}.drafted`);
      return slopes(await subscribing(contender, names));
    },
  };
}

function held(name: string, title: string, hold: keyof Holder, goals: readonly Goal[]): Row {
  return {
    name,
    title,
    unit: 'bytes',
    needs: 'holder',
    nodeFlags,
    goals,
    prepare: async (contender) => {
      const holder = await ability(contender, 'holder');
      return slopes(async (count) => await holder[hold](count));
    },
  };
}

export const rows: readonly Row[] = [
  subscriptions('memory-subscription', 'a subscription, 1 000 topics', 1_000, [
    { kind: 'limit', atMost: 300 },
  ]),
  subscriptions('memory-topic', 'a subscription with a topic of its own', 60_000, []),
  held('memory-envelope', 'the bare envelope', 'envelopes', []),
  held('memory-queued', 'a queued message', 'queuedMessages', [
    { kind: 'growth', since: 'memory-envelope', atMost: 1.1 },
  ]),
  held('memory-request', 'a pending request, its message included', 'pendingRequests', [
    { kind: 'limit', atMost: 450 },
  ]),
  held('memory-agent', 'an idle agent that serves a topic', 'idleAgents', []),
];
