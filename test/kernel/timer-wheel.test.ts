import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimerWheel, type WheelTimer } from '../../src/kernel/timer-wheel.ts';

/** Takes out all that is due at `now`, by label. */
function due(wheel: TimerWheel, now: number): (string | undefined)[] {
  const labels: (string | undefined)[] = [];
  for (let timer = wheel.takeDue(now); timer !== undefined; timer = wheel.takeDue(now)) {
    labels.push(timer.label);
  }
  return labels;
}

const nothing = (): void => {};

describe('TimerWheel', () => {
  it('gives due timers by instant, and at one instant as they were added', () => {
    const wheel = new TimerWheel();
    wheel.add(300, nothing, { label: 'third' });
    wheel.add(20.5, nothing, { label: 'second' });
    wheel.add(20.25, nothing, { label: 'first' });
    wheel.add(300, nothing, { label: 'fourth' });

    expect(due(wheel, 1_000)).toEqual(['first', 'second', 'third', 'fourth']);
  });

  it('never gives a timer early, not even by a part of a millisecond', () => {
    const wheel = new TimerWheel();
    wheel.add(10.75, nothing, { label: 'a' });

    expect(due(wheel, 10.5)).toEqual([]);
    expect(due(wheel, 10.75)).toEqual(['a']);
  });

  // R:D3
  it('waits longer than 2^31 milliseconds, up to the last safe integer and for ever', () => {
    const wheel = new TimerWheel();
    wheel.add(2 ** 31, nothing, { label: 'far' });
    wheel.add(2 ** 53, nothing, { label: 'farthest' });
    wheel.add(Infinity, nothing, { label: 'never' });

    expect(due(wheel, 2 ** 31 - 1)).toEqual([]);
    expect(due(wheel, 2 ** 31)).toEqual(['far']);
    expect(due(wheel, 2 ** 53)).toEqual(['farthest']);
    expect(wheel.size).toBe(1);
  });

  it('counts what is pending and what keeps the process alive', () => {
    const wheel = new TimerWheel();
    const request = wheel.add(10, nothing, { keepAlive: true });
    wheel.add(20, nothing);

    expect([wheel.size, wheel.keepAlive]).toEqual([2, 1]);
    request.cancel();
    expect([wheel.size, wheel.keepAlive]).toEqual([1, 0]);
    due(wheel, 20);
    expect([wheel.size, wheel.keepAlive, wheel.nextAt()]).toEqual([0, 0, Infinity]);
  });

  it('tells of a cancelled timer once, and of none that was taken out', () => {
    let cancelled = 0;
    const wheel = new TimerWheel(() => {
      cancelled += 1;
    });
    const pending = wheel.add(10, nothing);
    const taken = wheel.add(5, nothing);
    wheel.takeDue(5);

    taken.cancel();
    pending.cancel();
    pending.cancel();

    expect(cancelled).toBe(1);
  });

  it('runs a timer at most once, and never after it was cancelled', () => {
    const wheel = new TimerWheel();
    let runs = 0;
    const count = (): void => {
      runs += 1;
    };
    const kept = wheel.add(1, count);
    const cancelled = wheel.add(1, count);
    wheel.takeDue(1);
    wheel.takeDue(1);

    cancelled.cancel();
    for (const timer of [kept, kept, cancelled]) timer.fire();

    expect(runs).toBe(1);
  });

  // A host's fake timers set the clock back to 0 and forward again.
  it('serves new timers in order after the clock was set back', () => {
    const wheel = new TimerWheel();
    due(wheel, 1_000_000);
    wheel.add(200, nothing, { label: 'b' });
    wheel.add(100, nothing, { label: 'a' });
    wheel.add(1_000_050, nothing, { label: 'c' });

    expect(wheel.nextAt()).toBe(100);
    expect(due(wheel, 99)).toEqual([]);
    expect(due(wheel, 200)).toEqual(['a', 'b']);
    expect(due(wheel, 1_000_050)).toEqual(['c']);
  });

  it('does what a sorted list does', () => {
    const delay = fc.oneof(
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 40_000 }),
      fc.double({ min: 0, max: 100, noNaN: true }),
      fc.constantFrom(31, 32, 33, 1_023, 1_024, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 45, 2 ** 53),
    );
    const command = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), value: delay }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('cancel' as const), value: fc.nat() }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), value: delay }) },
    );

    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const wheel = new TimerWheel();
        let list: WheelTimer[] = [];
        let now = 0;
        for (const { kind, value } of commands) {
          if (kind === 'add') {
            list.push(wheel.add(now + value, nothing, { label: `${list.length}` }));
          } else if (kind === 'cancel') {
            list.splice(value % (list.length + 1), 1)[0]?.cancel();
          } else {
            now += value;
            const expected = list.filter((timer) => timer.at <= now).sort((a, b) => a.at - b.at);
            list = list.filter((timer) => timer.at > now);
            expect(due(wheel, now)).toEqual(expected.map((timer) => timer.label));
          }
          const earliest = Math.min(Infinity, ...list.map((timer) => timer.at));
          expect(wheel.size).toBe(list.length);
          expect(wheel.nextAt()).toBeLessThanOrEqual(earliest);
          expect(wheel.nextAt() === Infinity).toBe(list.length === 0);
        }
      }),
      { seed: 20261, numRuns: 300 },
    );
  });

  it('reaches a far timer in a dozen wake-ups when it is woken at nextAt', () => {
    const wheel = new TimerWheel();
    wheel.add(7 * 24 * 3_600_000 + 12_345, nothing, { label: 'a week' });
    let wakeUps = 0;

    while (wheel.size > 0) {
      due(wheel, wheel.nextAt());
      wakeUps += 1;
    }

    expect(wakeUps).toBeLessThanOrEqual(12);
  });

  it('lets go of what a cancelled timer would have run', () => {
    const wheel = new TimerWheel();
    const others = [1.1, 1.2, 1.3].map((at) => wheel.add(at, nothing, { label: `${at}` }));

    others[1]?.cancel();

    expect(others[1]).toMatchObject({ slot: undefined, next: undefined, previous: undefined });
    expect(due(wheel, 3)).toEqual(['1.1', '1.3']);
  });
});
