import assert from 'node:assert/strict';
import type { Agent } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import type { ClassicBug } from './classic-bug.ts';

interface Auction {
  highest: number;
  sold: number | undefined;
}

/** Whoever bids most has it: also when the hammer has fallen already. */
function makeHastyAuctioneer(agent: Agent, auction: Auction): void {
  agent.subscribe('bid', ({ payload }) => {
    auction.highest = Math.max(auction.highest, Number(payload));
  });
  agent.subscribe('hammer', () => {
    auction.sold = auction.highest;
  });
}

function makeAuctioneer(agent: Agent, auction: Auction): void {
  agent.subscribe('bid', ({ payload }) => {
    if (auction.sold !== undefined) return;
    auction.highest = Math.max(auction.highest, Number(payload));
  });
  agent.subscribe('hammer', () => {
    auction.sold = auction.highest;
  });
}

async function play({ bus, run }: TestBus, makeOne: typeof makeAuctioneer): Promise<void> {
  const auction: Auction = { highest: 10, sold: undefined };
  makeOne(bus.register('auctioneer'), auction);

  // Both are due at one instant, and nothing says which is first.
  bus.publish('bid', 20, { delayMs: 60_000 });
  bus.publish('hammer', {}, { delayMs: 60_000 });
  await run();

  assert.equal(auction.sold, auction.highest, 'the price at which it was sold');
}

export const lateBid: ClassicBug = {
  name: 'two timers of one instant',
  buggy: (t) => play(t, makeHastyAuctioneer),
  mended: (t) => play(t, makeAuctioneer),
};
