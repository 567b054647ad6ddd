import assert from 'node:assert/strict';
import { type Agent, type Context, isTellaskError } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import { type ClassicBug, withState } from './classic-bug.ts';

type Book = (seat: string, guest: unknown, context: Context) => Promise<unknown>;

const bookHastily: Book = async (seat, guest, context) => {
  if (context.state.has(seat)) return 'taken';
  await context.request('pay', guest);
  context.state.set(seat, guest);
  return 'booked';
};

/** Holds the seat before anything that takes time. */
const book: Book = async (seat, guest, context) => {
  try {
    context.state.create(seat, guest);
  } catch (error) {
    if (isTellaskError(error, 'TELLASK_STATE_EXISTS')) return 'taken';
    throw error;
  }
  await context.request('pay', guest);
  return 'booked';
};

function makeDesk(agent: Agent, how: Book): void {
  agent.serve('book', ({ payload }, context) => how('seat.12', payload, context));
}

/** Books for others, whose passport it looks at before. */
function makeAgency(agent: Agent): void {
  agent.serve('book.abroad', async ({ payload }, context) => {
    await context.request('passport.of', payload);
    return context.request('book', payload);
  });
}

async function play({ bus, run }: TestBus, how: Book): Promise<void> {
  for (const name of ['north-desk', 'south-desk']) makeDesk(bus.register(name), how);
  makeAgency(bus.register('agency'));
  bus.register('bank').serve('pay', () => 'paid');
  bus.register('consulate').serve('passport.of', () => 'valid');

  const answers = [bus.request('book', 'ann'), bus.request('book.abroad', 'bob')];
  await run();

  const booked = (await Promise.all(answers)).filter((answer) => answer === 'booked');
  assert.equal(booked.length, 1, 'the guests who were told that the one seat is theirs');
}

export const doubleBooking: ClassicBug = {
  name: 'double booking',
  setup: withState,
  buggy: (t) => play(t, bookHastily),
  mended: (t) => play(t, book),
};
