import { ability } from '../contender.ts';
import { Counter } from '../counter.ts';
import { makeHandlers } from '../handlers.ts';
import { publishing } from '../publishing.ts';
import { rotation } from '../rotation.ts';
import type { Goal, Row } from '../row.ts';
import { timed } from '../timed.ts';

/** About 1 KB of JSON, the caller's own: who isolates has to copy it at every publish. */
const article = {
  value: 1,
  id: 'article-7',
  title: 'How a message gets from one agent to another',
  author: { name: 'writer', team: 'docs', roles: ['draft', 'review'] },
  tags: ['messages', 'agents', 'queues', 'order', 'failure'],
  sections: Array.from({ length: 5 }, (_, index) => ({
    heading: `Section ${index}`,
    words: 120 + index,
    text: 'A sentence that stands for many others and is neither short nor very long. '.repeat(2),
  })),
};

/**
 * A program has more than one topic. With a single one and a single subscriber the compiler
 * inlines the handler into `emit`, which then costs a third of what it ever costs in use.
 */
const topics = Array.from({ length: 10 }, (_, index) => `report.${index}.drafted`);

function publish(
  name: string,
  title: string,
  subscribers: number,
  goals: readonly Goal[],
  payload?: typeof article,
): Row {
  return {
    name,
    title: `publish to handled, 10 topics in turn, ${title}`,
    unit: 'ns',
    needs: 'pubSub',
    without: payload === undefined ? ['structured-clone'] : [],
    goals,
    prepare: async (contender) => {
      const bus = await ability(contender, 'pubSub');
      const counter = new Counter();
      const read = payload === undefined ? '' : '.value';
      const handlers = makeHandlers(bus.handler, counter, subscribers * topics.length, read);
      for (const [index, handler] of handlers.entries()) {
        bus.subscribe(topics[index % topics.length] ?? '', handler);
      }
      return timed(publishing(bus, counter, subscribers, rotation(topics), payload));
    },
  };
}

export const rows: readonly Row[] = [
  publish('publish-1', '1 exact subscriber each', 1, [
    { kind: 'ratio', to: ['eventemitter3'], atMost: 3 },
    { kind: 'ratio', to: ['mqemitter'], atMost: 0.35 },
  ]),
  publish('publish-10', '10 exact subscribers each', 10, [
    { kind: 'ratio', to: ['eventemitter3'], atMost: 1.2 },
    { kind: 'ratio', to: ['mqemitter'], atMost: 0.45 },
  ]),
  publish('publish-1kb', '10 exact subscribers each, an unowned payload of 1 KB', 10, [], article),
];
