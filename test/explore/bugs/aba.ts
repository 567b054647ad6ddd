import assert from 'node:assert/strict';
import { type Agent, type Context, isTellaskError } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import { type ClassicBug, withState } from './classic-bug.ts';

/** A pile of cards; the last one lies on top. */
type Pile = readonly string[];
const pileOf = ({ state }: Pick<Context, 'state'>): Pile =>
  (state.get('pile')?.value ?? []) as Pile;

type Take = (context: Context) => Promise<string | undefined>;

/** Takes the card on top, if it is still the same when it has been looked at. */
const takeHastily: Take = async (context) => {
  const { state } = context;
  const pile = pileOf(context);
  await context.request('look.at', pile.at(-1));
  if (pileOf(context).at(-1) !== pile.at(-1)) return undefined;
  state.set('pile', pile.slice(0, -1));
  return pile.at(-1);
};

/** The same card on top need not be the same pile: the version tells. */
const take: Take = async (context) => {
  const { state } = context;
  const { value, version } = state.get('pile') ?? { value: [], version: 0 };
  const pile = value as Pile;
  await context.request('look.at', pile.at(-1));
  try {
    state.compareAndSet('pile', version, pile.slice(0, -1));
    return pile.at(-1);
  } catch (error) {
    if (isTellaskError(error, 'TELLASK_STATE_CONFLICT')) return undefined;
    throw error;
  }
};

/** Takes the two upper cards and puts the first one back. */
function makeJuggler(agent: Agent, taken: string[]): void {
  agent.subscribe('juggle', async (_message, context) => {
    await context.request('hands.free', {});
    const pile = pileOf(context);
    if (pile.length < 2) return;
    taken.push(...pile.slice(-2, -1));
    context.state.set('pile', [...pile.slice(0, -2), ...pile.slice(-1)]);
  });
}

async function play({ bus, run }: TestBus, how: Take): Promise<void> {
  const taken: string[] = [];
  bus.state.set('pile', ['king', 'queen', 'ace']);
  bus.register('player').subscribe('play', async (_message, context) => {
    const card = await how(context);
    if (card !== undefined) taken.push(card);
  });
  makeJuggler(bus.register('juggler'), taken);
  bus.register('eyes').serve('look.at', () => 'seen');
  bus.register('hands').serve('hands.free', () => true);

  bus.publish('play', {});
  bus.publish('juggle', {});
  await run();

  const cards = [...taken, ...pileOf(bus)].toSorted();
  assert.deepEqual(cards, ['ace', 'king', 'queen'], 'each card is there once');
}

export const aba: ClassicBug = {
  name: 'ABA',
  setup: withState,
  buggy: (t) => play(t, takeHastily),
  mended: (t) => play(t, take),
};
