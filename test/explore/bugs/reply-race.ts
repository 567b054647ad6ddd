import assert from 'node:assert/strict';
import type { Agent } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import type { ClassicBug } from './classic-bug.ts';

const CITIES = ['Rome', 'Oslo'];
const WEATHER = new Map([
  ['Rome', 'sun'],
  ['Oslo', 'snow'],
]);

/** Asks by telling, and takes the answers as they come. */
function makeHastyEditor(agent: Agent, page: Map<string, unknown>): void {
  const open: string[] = [];
  agent.subscribe('print', (_message, context) => {
    for (const city of CITIES) {
      open.push(city);
      context.send(`reporter-${city}`, 'weather.wanted', city);
    }
  });
  agent.subscribe('weather', ({ payload }) => {
    page.set(open.shift() as string, payload);
  });
}

/** Asks by asking: an answer belongs to its question. */
function makeEditor(agent: Agent, page: Map<string, unknown>): void {
  agent.subscribe('print', async (_message, context) => {
    const ask = (city: string) => context.request('weather.of', city, { to: `reporter-${city}` });
    const answers = await Promise.all(CITIES.map(ask));
    for (const [at, city] of CITIES.entries()) page.set(city, answers[at]);
  });
}

function makeReporter(agent: Agent): void {
  const weather = (city: unknown) => WEATHER.get(String(city));
  agent.serve('weather.of', ({ payload }) => weather(payload));
  agent.subscribe('weather.wanted', ({ payload, from }, context) => {
    context.send(from, 'weather', weather(payload));
  });
}

async function play({ bus, run }: TestBus, makeOne: typeof makeEditor): Promise<void> {
  const page = new Map<string, unknown>();
  makeOne(bus.register('editor'), page);
  for (const city of CITIES) makeReporter(bus.register(`reporter-${city}`));

  bus.publish('print', {});
  await run();

  assert.deepEqual(page, WEATHER, 'the weather of each city');
}

export const replyRace: ClassicBug = {
  name: 'reply race',
  buggy: (t) => play(t, makeHastyEditor),
  mended: (t) => play(t, makeEditor),
};
