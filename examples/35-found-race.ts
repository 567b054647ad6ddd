// 35 A found race: the plain test passes, explore finds the order in which it does not.
import type { Agent } from 'tellask';
import { ExplorationError, explore, type Scenario } from 'tellask/testing';

function makeWriter(agent: Agent): void {
  agent.subscribe('draft.wanted', (_, context) => {
    context.send('archivist', 'draft.save', 'Tea is ready');
    context.publish('draft.ready', {});
  });
}

/** Tells the reviewer when the draft is saved, and not when it was sent to be saved. */
function makePatientWriter(agent: Agent): void {
  agent.subscribe('draft.wanted', async (_, context) => {
    await context.request('draft.store', 'Tea is ready');
    context.publish('draft.ready', {});
  });
}

function makeReviewer(agent: Agent, reviews: unknown[]): void {
  agent.subscribe('draft.ready', async (_, context) => {
    reviews.push(await context.request('draft.read', {}));
  });
}

/** The same scenario with one writer or the other; it makes everything anew in each schedule. */
const reviewing =
  (makeTheWriter: (agent: Agent) => void): Scenario =>
  async ({ bus, run }) => {
    let saved = 'nothing';
    const reviews: unknown[] = [];
    const archivist = bus.register('archivist');
    const save = ({ payload }: { payload: unknown }): void => {
      saved = String(payload);
    };
    archivist.subscribe('draft.save', save);
    archivist.serve('draft.store', save);
    bus.register('librarian').serve('draft.read', () => saved);
    makeTheWriter(bus.register('writer'));
    makeReviewer(bus.register('reviewer'), reviews);
    bus.publish('draft.wanted', {});
    await run();
    if (reviews[0] !== 'Tea is ready') throw new Error(`reviewed: ${reviews[0]}`);
  };

// One run in production order is what a plain test does.
const plain = await explore(reviewing(makeWriter), { seeds: 1 });
console.log(`plain test: ${plain.schedules} schedule passes\n`);

try {
  await explore(reviewing(makeWriter), { seeds: 200 });
} catch (error) {
  if (error instanceof ExplorationError) console.log(error.message);
}

const mended = reviewing(makePatientWriter);
const { schedules, finished } = await explore(mended, { strategy: 'exhaustive' });
console.log(`\nmended: all ${schedules} schedules pass, finished: ${finished}`);
