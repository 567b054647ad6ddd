import { describe, expect, it } from 'vitest';
import type { DeadLetter } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced } from './books.ts';

const fail = (): never => {
  throw new Error('broken');
};
const DAY = 86_400_000;

describe.each(['real', 'simulated'] as const)('quarantine, on the %s Env', (env) => {
  // R:J3 F:E5
  it.each([1, 2, 3])('takes a letter that died again after %i redrives', async (maxRedrives) => {
    const { bus, settle } = makeBus(env, { deadLetters: { maxRedrives } });
    const heard: DeadLetter[] = [];
    bus.events.on('quarantined', (letter) => void heard.push(letter));
    bus.subscribe('x', fail);
    bus.publish('x', 1);
    await settle();

    for (let pass = 1; pass <= maxRedrives; pass += 1) {
      expect(bus.inspect().quarantinedLetters).toBe(0);
      expect((await bus.deadLetters.redrive()).redriven).toHaveLength(1);
      await settle();
    }
    const left = await bus.deadLetters.redrive();

    const [letter] = bus.deadLetters.list({ quarantined: true });
    expect(letter).toMatchObject({ quarantined: true, redriveCount: maxRedrives });
    expect(heard).toEqual([letter]);
    expect(left).toMatchObject({ redriven: [], skipped: [{ id: letter?.id, why: 'quarantined' }] });
    expect(bus.deadLetters.list({ quarantined: false })).toEqual([]);
    expect(bus.inspect()).toMatchObject({ letters: 1, quarantinedLetters: 1 });
    expectBalanced(bus);
  });

  it('lets out for one try only what is asked for', async () => {
    const { bus, settle } = makeBus(env, { deadLetters: { maxRedrives: 0 } });
    let broken = true;
    bus.subscribe('x', () => (broken ? fail() : undefined));
    bus.publish('x', 1);
    await settle();
    const [letter] = bus.deadLetters.list();

    const byId = await bus.deadLetters.redrive({ id: letter?.id ?? '' });
    const asked = await bus.deadLetters.redrive({ quarantined: true });
    await settle();
    broken = false;
    const again = await bus.deadLetters.redrive();
    await bus.deadLetters.redrive({ quarantined: true });
    await settle();

    expect(byId.skipped).toMatchObject([{ why: 'quarantined' }]);
    expect(asked.redriven).toHaveLength(1);
    expect(again.skipped).toMatchObject([{ why: 'quarantined' }]);
    expect(bus.inspect()).toMatchObject({ letters: 0, quarantinedLetters: 0, handled: 1 });
  });

  it('counts what is purged and what makes room no longer', async () => {
    const options = { deadLetters: { maxRedrives: 0, maxLetters: 2 } };
    const { bus, settle } = makeBus(env, options);
    bus.subscribe('x', fail);

    for (const n of [1, 2, 3]) bus.publish('x', n);
    await settle();
    expect(bus.inspect()).toMatchObject({ quarantinedLetters: 2, evictedLetters: 1 });
    bus.deadLetters.purge({ quarantined: true });

    expect(bus.inspect()).toMatchObject({ letters: 0, quarantinedLetters: 0, letterBytes: 0 });
  });

  it('leaves alone what a call of redrive says was redriven too often', async () => {
    const { bus, settle } = makeBus(env);
    bus.subscribe('x', fail);
    bus.publish('x', 1);
    await settle();
    await bus.deadLetters.redrive();
    await settle();

    const { skipped } = await bus.deadLetters.redrive({}, { maxRedrives: 1 });
    const more = await bus.deadLetters.redrive({}, { maxRedrives: 2, dryRun: true });

    expect(skipped).toMatchObject([{ why: 'max-redrives' }]);
    expect(more.redriven).toHaveLength(1);
  });
});

describe('retention of letters', () => {
  // R:J2
  it('counts from death, needs no timer, and is an eviction', async () => {
    const t = createTestBus({ deadLetters: { retentionMs: 2 * DAY } });
    t.bus.subscribe('x', fail);
    t.bus.publish('x', 'old');
    await t.settle();
    await t.clock.advance(DAY);
    t.bus.publish('x', 'new');
    await t.settle();

    await t.clock.advance(DAY - 1);
    expect(t.bus.deadLetters.size).toBe(2);
    await t.clock.advance(1);

    expect(t.bus.deadLetters.list().map(({ message }) => message.payload)).toEqual(['new']);
    expect(t.bus.inspect()).toMatchObject({ letters: 1, evictedLetters: 1 });
    await t.run();
    expect(t.clock.nowMs).toBe(2 * DAY);
  });

  it('is seven days by default, and none for Infinity', async () => {
    const [usual, ever] = [
      createTestBus(),
      createTestBus({ deadLetters: { retentionMs: Infinity } }),
    ];
    for (const t of [usual, ever]) {
      t.bus.subscribe('x', fail);
      t.bus.publish('x', 1);
      await t.settle();
      await t.clock.advance(7 * DAY);
    }

    expect([usual.bus.deadLetters.size, ever.bus.deadLetters.size]).toEqual([0, 1]);
  });
});
