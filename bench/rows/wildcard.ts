import { ability, type PubSub } from '../contender.ts';
import { Counter } from '../counter.ts';
import { makeHandlers } from '../handlers.ts';
import { publishing } from '../publishing.ts';
import { rotation } from '../rotation.ts';
import type { Goal, Row } from '../row.ts';
import { timed } from '../timed.ts';

/** Distinct functions enough for every pattern that a topic matches. */
const handlerCount = 999;

/** Each of the three patterns of a room matches each of its topics. */
const patternsOfRoom = 3;

function patternAt(index: number): string {
  const room = Math.floor(index / patternsOfRoom);
  return [`home.${room}.*`, `home.${room}.**`, `*.${room}.*`][index % patternsOfRoom] ?? '';
}

function subscribeAll(bus: PubSub, counter: Counter, patterns: number): void {
  const handlers = makeHandlers(bus.handler, counter, Math.min(patterns, handlerCount));
  for (let index = 0; index < patterns; index += 1) {
    const handler = handlers[index % handlers.length];
    if (handler !== undefined) bus.subscribe(patternAt(index), handler);
  }
}

function wildcard(
  name: string,
  title: string,
  patterns: number,
  makeTopics: () => () => string,
  goals: readonly Goal[],
): Row {
  return {
    name,
    title: `wildcard publish to handled, ${title}, 3 of ${patterns} patterns match`,
    unit: 'ns',
    needs: 'wildcards',
    goals,
    prepare: async (contender) => {
      const bus = await ability(contender, 'wildcards');
      const counter = new Counter();
      subscribeAll(bus, counter, patterns);
      return timed(publishing(bus, counter, patternsOfRoom, makeTopics()));
    },
  };
}

const hot = () => () => 'home.1.temperature';

/** 10 000 topics, as many as the dispatch cache holds. */
const inTurn = () =>
  rotation(Array.from({ length: 10_000 }, (_, index) => `home.${index % 333}.t${index}`));

const neverSeen = () => {
  let next = 0;
  return () => {
    next += 1;
    return `home.${next % 333}.n${next}`;
  };
};

const toPeer = (atMost: number): Goal => ({ kind: 'ratio', to: ['mqemitter'], atMost });
const flat: Goal = { kind: 'growth', since: 'wildcard-10', atMost: 1.5 };

export const rows: readonly Row[] = [
  wildcard('wildcard-10', 'a hot topic', 10, hot, [toPeer(0.25)]),
  wildcard('wildcard-1000', 'a hot topic', 1_000, hot, [toPeer(0.25), flat]),
  wildcard('wildcard-100000', 'a hot topic', 100_000, hot, [toPeer(0.25), flat]),
  wildcard('wildcard-in-turn', '10 000 topics in turn', 1_000, inTurn, [toPeer(0.35)]),
  wildcard('wildcard-never-seen', 'topics never seen before', 1_000, neverSeen, [toPeer(1)]),
];
