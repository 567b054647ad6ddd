import { describe, expect, it } from 'vitest';
import { isTellaskError, TellaskError } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';

// R:C2
describe('the errors of a bus', () => {
  async function collect(): Promise<TellaskError[]> {
    const t = createTestBus();
    const agent = t.bus.register('a', { capacity: 0 });
    agent.subscribe('x', () => {});
    agent.serve('q', () => new Promise(() => {}));
    const free = t.bus.register('b');
    free.serve('slow', () => new Promise(() => {}));
    const calls: (() => unknown)[] = [
      () => t.bus.publish('a b', 1),
      () => t.bus.subscribe('a..b', () => {}),
      () => t.bus.register('a b'),
      () => t.bus.register('a'),
      () => t.bus.send('aa', 'x', 1),
      () => t.bus.send('a', 'x', 1),
      () =>
        t.bus.publish('x', {
          get n() {
            return 1;
          },
        }),
      () => t.bus.publish('$x', 1),
      () => t.bus.request('unserved', 1),
      () => t.bus.request('q', 1),
      () => t.bus.request('slow', 1, { timeoutMs: 1 }),
    ];
    const errors: TellaskError[] = [];
    for (const call of calls) {
      try {
        const result = Promise.resolve(call()).catch((error) => errors.push(error));
        await t.run();
        await result;
      } catch (error) {
        errors.push(error as TellaskError);
      }
    }
    return errors;
  }

  it('all have a code, a hint, and whether trying again may help', async () => {
    const errors = await collect();

    expect(errors.map(({ code }) => code)).toEqual([
      'TELLASK_INVALID_TOPIC',
      'TELLASK_INVALID_PATTERN',
      'TELLASK_INVALID_NAME',
      'TELLASK_NAME_TAKEN',
      'TELLASK_UNKNOWN_RECIPIENT',
      'TELLASK_MAILBOX_FULL',
      'TELLASK_PAYLOAD',
      'TELLASK_DENIED',
      'TELLASK_NO_RESPONDER',
      'TELLASK_MAILBOX_FULL',
      'TELLASK_TIMEOUT',
    ]);
    for (const error of errors) {
      expect(isTellaskError(error, error.code)).toBe(true);
      expect(error.hint.length).toBeGreaterThan(20);
      expect(typeof error.retryable).toBe('boolean');
      expect(error.name).toMatch(/Error$/);
    }
  });

  // R:C3
  it('carry no stack when they are expected, unless it is asked for', async () => {
    const expected = ['TELLASK_MAILBOX_FULL', 'TELLASK_NO_RESPONDER', 'TELLASK_TIMEOUT'];
    const hasStack = ({ stack = '' }: Error): boolean => /\n\s+at /.test(stack);

    const bare = (await collect()).filter(({ code }) => expected.includes(code));
    TellaskError.captureStacks = true;
    const full = (await collect()).filter(({ code }) => expected.includes(code));
    TellaskError.captureStacks = false;

    expect(bare.map(hasStack)).toEqual([false, false, false, false]);
    expect(full.map(hasStack)).toEqual([true, true, true, true]);
  });
});
