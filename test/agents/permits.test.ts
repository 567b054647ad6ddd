import { describe, expect, it } from 'vitest';
import { HandlePermits } from '../../src/agents/permits.ts';

// R:E4
describe('HandlePermits', () => {
  const may = (permits: HandlePermits, action: string, target: string): boolean => {
    try {
      permits.check(action, target);
      return true;
    } catch {
      return false;
    }
  };

  it('restricts the actions that it names and no others', () => {
    const permits = new HandlePermits('a', undefined, { publish: ['x.*'], send: [] });

    expect(may(permits, 'publish', 'x.1')).toBe(true);
    expect(may(permits, 'publish', 'y')).toBe(false);
    expect(may(permits, 'send', 'x.1')).toBe(false);
    expect(may(permits, 'request', 'anything')).toBe(true);
  });

  it('allows a pattern only where it is the allowed one, or everything is', () => {
    const some = new HandlePermits('a', undefined, { subscribe: ['x.*'] });
    const all = new HandlePermits('a', undefined, { subscribe: ['**'] });

    expect(may(some, 'subscribe', 'x.*')).toBe(true);
    expect(may(some, 'subscribe', '**')).toBe(false);
    expect(may(all, 'subscribe', 'x.*.y')).toBe(true);
  });

  it('ends with the handle that it was made from, whatever the order', () => {
    const above = new HandlePermits('a');
    const below = new HandlePermits('a', new HandlePermits('a', above));

    above.revoke('left');
    above.revoke('revoked');

    expect(() => below.check('publish', 'x')).toThrow('a has left the bus');
  });
});
