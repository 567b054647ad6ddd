import { describe, expect, it } from 'vitest';
import { GuardedEvents } from '../../src/kernel/events.ts';

interface Events {
  handled: [id: string, tookMs: number];
  closed: [];
}

function makeEvents() {
  const log: string[] = [];
  const events = new GuardedEvents<Events>((error, where) => log.push(`${where}: ${error}`));
  return { events, log };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('GuardedEvents', () => {
  it('calls every listener with what was emitted, in the order of their coming', () => {
    const { events, log } = makeEvents();
    events.on('handled', (id, tookMs) => log.push(`a ${id} ${tookMs}`));
    events.on('handled', (id, tookMs) => log.push(`b ${id} ${tookMs}`));

    events.emit('handled', 'm1', 5);
    events.emit('closed');

    expect(log).toEqual(['a m1 5', 'b m1 5']);
  });

  // R:A8 R:C1
  it('goes on to the next listener when one throws, and reports it once', () => {
    const { events, log } = makeEvents();
    events.on('handled', () => {
      throw new Error('broken');
    });
    events.on('handled', (id) => log.push(id));

    events.emit('handled', 'm1', 5);

    expect(log).toEqual(['listener of handled: Error: broken', 'm1']);
  });

  // R:C1: an unhandled rejection fails the test run.
  it('reports what the promise of a listener rejects with', async () => {
    const { events, log } = makeEvents();
    events.on('closed', async () => {
      throw new Error('broken later');
    });

    events.emit('closed');
    await turn();

    expect(log).toEqual(['listener of closed: Error: broken later']);
  });

  it('survives a listener that returns a hostile thenable', async () => {
    const { events, log } = makeEvents();
    const hostile = Object.defineProperty({}, 'then', {
      get: () => {
        throw new Error('hostile');
      },
    });
    events.on('closed', () => hostile);

    events.emit('closed');
    await turn();

    expect(log).toEqual(['listener of closed: Error: hostile']);
  });

  it('survives a fault listener that throws or rejects', async () => {
    const throwing = new GuardedEvents<Events>(() => {
      throw new Error('worse');
    });
    const rejecting = new GuardedEvents<Events>(() => Promise.reject(new Error('worse')));
    for (const events of [throwing, rejecting]) {
      events.on('closed', () => {
        throw new Error('bad');
      });
    }

    expect(() => throwing.emit('closed')).not.toThrow();
    expect(() => rejecting.emit('closed')).not.toThrow();
    await turn();
  });

  it('calls a once listener once, also when it emits the same event again', () => {
    const { events, log } = makeEvents();
    events.once('closed', () => {
      log.push('closed');
      events.emit('closed');
    });

    events.emit('closed');
    events.emit('closed');

    expect(log).toEqual(['closed']);
    expect(events.has('closed')).toBe(false);
  });

  it('takes back one listener by the function that on returned, and only that one', () => {
    const { events, log } = makeEvents();
    const listener = () => log.push('heard');
    const off = events.on('closed', listener);
    events.on('closed', listener);

    off();
    off();
    events.emit('closed');

    expect(log).toEqual(['heard']);
  });

  it('takes back a listener by itself, however it was added', () => {
    const { events, log } = makeEvents();
    const listener = () => log.push('heard');
    events.on('closed', listener);
    events.once('closed', listener);
    const other = events.on('closed', () => log.push('other'));

    events.off('closed', listener);
    events.emit('closed');

    expect(log).toEqual(['other']);
    other();
    expect(events.has('closed')).toBe(false);
  });

  it('tells whether anybody listens to one name', () => {
    const { events } = makeEvents();
    expect(events.has('closed')).toBe(false);

    events.on('closed', () => {});

    expect([events.has('closed'), events.has('handled')]).toEqual([true, false]);
  });

  it('hands every event to one recorder before the listeners, until all are forgotten', () => {
    const { events, log } = makeEvents();
    events.on('handled', (id) => log.push(`listener ${id}`));
    events.record((name, args) => log.push(`recorder ${name} ${args.join(' ')}`));

    const heard = [events.has('handled'), events.has('closed')];
    events.emit('handled', 'm1', 5);
    events.emit('closed');
    events.removeAll();
    events.emit('closed');

    expect(heard).toEqual([true, true]);
    expect(log).toEqual(['recorder handled m1 5', 'listener m1', 'recorder closed ']);
    expect(events.has('closed')).toBe(false);
  });

  it('forgets all listeners, and works on', () => {
    const { events, log } = makeEvents();
    const off = events.on('closed', () => log.push('old'));

    events.removeAll();
    off();
    events.on('closed', () => log.push('new'));
    events.emit('closed');

    expect(log).toEqual(['new']);
  });
});
