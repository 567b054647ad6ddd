import { describe, expect, it } from 'vitest';
import { Handshakes } from '../../src/agents.ts';
import { createTestBus, explore } from '../../src/testing.ts';

describe('a handshake', () => {
  // R:L "remembered until either leaves"
  it('is not remembered when one leaves while the answer is under way, in any order', async () => {
    await explore(
      async (t) => {
        const handshakes = new Handshakes(t.bus);
        const [ann, bob] = [t.bus.register('ann'), t.bus.register('bob')];
        handshakes.accept(bob, { versions: ['1.0'] });
        t.bus.subscribe('go', () => void bob.leave());
        t.bus.publish('go', 1);
        await handshakes.greet(ann, 'bob', { version: '1.0' }).catch(() => {});
        await t.clock.advance(10);
        expect(handshakes.with('ann', 'bob')).toBe(undefined);
      },
      { seeds: 30, unheard: 'count', leaks: 'allow', unexpectedLetters: 'allow' },
    );
  });

  it.each([
    null,
    'yes',
    { outcome: 'accepted' },
    { outcome: 'accepted', version: 'new', capabilities: ['write'] },
    { outcome: 'accepted', version: '9.0', capabilities: ['write'] },
    { outcome: 'accepted', version: '1.0', capabilities: [] },
    { outcome: 'accepted', version: '1.0', capabilities: [1, 'write'] },
    { outcome: 'refused', reason: 'because', because: 'so' },
    { outcome: 'maybe' },
  ])('is not agreed on by whoever answers %j', async (answer) => {
    const t = createTestBus();
    const handshakes = new Handshakes(t.bus);
    const ann = t.bus.register('ann');
    t.bus.register('bob').serve('agent.handshake', () => answer as never);

    const greeting = handshakes.greet(ann, 'bob', { version: '1.0', needs: ['write'] });
    await t.settle();

    expect(await greeting).toMatchObject({ outcome: 'refused', reason: 'not-served' });
    expect(handshakes.with('ann', 'bob')).toBe(undefined);
  });
});
