import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { Call } from '../../src/resilience/call.ts';
import { OwnPolicy, type Work } from '../../src/resilience/policy.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const env = new SimEnv();

/** Hands every call on as it is. */
class Through extends OwnPolicy {
  run<T>(fn: Work<T>, call: Call): Promise<T> {
    return Promise.resolve(fn(call));
  }
}

const heardBy = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('a call', () => {
  it('is the first, without a deadline, unless somebody above says otherwise', () => {
    const above = new Call(env, undefined, { attempt: 3, deadline: 50 });

    const [alone, below] = [new Call(env), new Call(env, above)];

    expect([alone.attempt, alone.deadline, alone.remainingMs]).toEqual([1, Infinity, Infinity]);
    expect([below.attempt, below.deadline]).toEqual([3, 50]);
  });

  // R:H3
  it.each([
    [50, 70, 50],
    [70, 50, 50],
    [Infinity, 50, 50],
    [50, Infinity, 50],
  ])('ends at the earlier of two deadlines: %d above and %d of its own', (upper, own, deadline) => {
    const above = new Call(env, undefined, { deadline: upper });

    expect(new Call(env, above, { deadline: own }).deadline).toBe(deadline);
  });

  it('shows the time that is left, which is never less than none', async () => {
    const clock = new SimEnv();
    const call = new Call(clock, undefined, { deadline: 50 });
    const left = [call.remainingMs];

    await clock.advance(20);
    left.push(call.remainingMs);
    await clock.advance(40);
    left.push(call.remainingMs);

    expect(left).toEqual([50, 30, 0]);
  });

  it('hands down whom it is for, and where retries ask for leave', () => {
    const [target, retries] = [{ choose: () => 'ann' }, { withdraw: () => true }];
    const above = new Call(env, undefined, { retries }, target);

    const below = new Call(env, above, { attempt: 2 });

    expect(below.target).toBe(target);
    expect(below.retries).toBe(retries);
    expect(new Call(env, above, {}, { choose: () => 'bob' }).target?.choose(() => true)).toBe(
      'bob',
    );
  });
});

describe('the signal of a call', () => {
  // R:H5
  it('is made only when it is read', () => {
    let made = 0;
    class Counted extends AbortController {
      constructor() {
        super();
        made++;
      }
    }
    vi.stubGlobal('AbortController', Counted);
    const call = new Call(env, new Call(env, new Call(env)));
    call.abort('stop');
    call.end();

    const before = made;
    const { reason } = call.signal;

    vi.unstubAllGlobals();
    expect([before, reason, made]).toEqual([0, 'stop', 1]);
  });

  it('is that of the caller when nobody on the way may call it off', () => {
    const { signal } = new AbortController();
    const outer = new Call(env, signal, { abortable: false });

    expect(outer.signal).toBe(signal);
    expect(new Call(env, outer, { attempt: 2, abortable: false }).signal).toBe(signal);
    expect(heardBy(signal)).toBe(0);
  });

  it.each([
    ['which was read before', true],
    ['which is read afterwards', false],
  ])('%#: %s aborts with the reason from above, the very same', (_, before) => {
    const controller = new AbortController();
    const call = new Call(env, new Call(env, new Call(env, controller.signal)));
    const reason = { why: 'stop' };
    if (before) void call.signal;

    controller.abort(reason);

    expect([call.aborted, call.signal.aborted]).toEqual([true, true]);
    expect(call.reason).toBe(reason);
    expect(call.signal.reason).toBe(reason);
  });

  it.each([true, false])(
    'keeps the first reason, from here or above (read before: %s)',
    (before) => {
      const controller = new AbortController();
      const [one, other] = [new Call(env, controller.signal), new Call(env, controller.signal)];
      if (before) void [one.signal, other.signal];

      one.abort('own');
      controller.abort('above');
      other.abort('own');

      expect([one.reason, one.signal.reason]).toEqual(['own', 'own']);
      expect([other.reason, other.signal.reason]).toEqual(['above', 'above']);
    },
  );

  it('is true also when it is first read after the end', () => {
    const controller = new AbortController();
    const [called, quiet] = [new Call(env, controller.signal), new Call(env)];
    for (const call of [called, quiet]) call.end();

    controller.abort('stop');

    expect([called.signal.reason, quiet.signal.aborted]).toEqual(['stop', false]);
  });

  it('does not abort what is above', () => {
    const above = new Call(env);
    const call = new Call(env, above);
    void [above.signal, call.signal];

    call.abort('own');

    expect([above.aborted, above.signal.aborted]).toEqual([false, false]);
  });

  // R:D1
  it.each([
    ['end', (call: Call) => call.end()],
    ['abort', (call: Call) => call.abort('own')],
  ])('leaves no listener on a signal that outlives 1 000 calls: %s', (_, finish) => {
    const { signal } = new AbortController();
    const during = new Set<number>();

    for (let i = 0; i < 1_000; i++) {
      const outer = new Call(env, signal);
      const call = new Call(env, outer);
      void call.signal;
      during.add(heardBy(signal));
      for (const one of [call, outer]) finish(one);
      // Whoever kept the call may still read it.
      void [call.signal, outer.signal];
    }

    expect([...during]).toEqual([1]);
    expect(heardBy(signal)).toBe(0);
  });
});

describe('whoever listens to a call', () => {
  it.each([true, false])('hears once why it was called off (abortable: %s)', (abortable) => {
    const controller = new AbortController();
    const call = new Call(env, new Call(env, controller.signal), { abortable });
    const log: string[] = [];
    call.onAbort((reason) => log.push(`early ${reason}`));
    call.onAbort((reason) => log.push(`gone ${reason}`))();

    controller.abort('stop');
    controller.abort('again');
    call.onAbort((reason) => log.push(`late ${reason}`));

    expect(log).toEqual(['early stop', 'late stop']);
    expect(heardBy(controller.signal)).toBe(0);
  });

  it('costs nothing where nobody can call it off', () => {
    const call = new Call(env, undefined, { abortable: false });

    expect(() => call.onAbort(() => expect.unreachable())()).not.toThrow();
  });
});

describe('execute', () => {
  it('does not begin what has been called off', async () => {
    const reason = new Error('stop');
    const fn = vi.fn();

    await expect(new Through(env).execute(fn, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(fn).not.toHaveBeenCalled();
  });

  it.each([
    ['fn', undefined, undefined],
    ['fn', 'text', undefined],
    ['signal', () => 1, null],
    ['signal', () => 1, { aborted: true }],
  ])('rejects a wrong %s with a TypeError and never throws', async (what, fn, signal) => {
    const executed = new Through(env).execute(fn as Work<unknown>, signal as AbortSignal);

    const error = await executed.catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain(`${what} must be`);
  });

  it('leaves nothing on a signal that outlives it, whether or not the work reads it', async () => {
    const { signal } = new AbortController();

    await new Through(env).execute(() => 1, signal);
    const same = await new Through(env).execute((execution) => execution.signal, signal);

    expect(same).toBe(signal);
    expect(heardBy(signal)).toBe(0);
  });

  it('is told where time comes from once: when it was made, or by the first who binds it', () => {
    const [one, other] = [new SimEnv(), new SimEnv()];
    const [given, bound] = [new Through(one), new Through(undefined)];
    given.bind(other);
    for (const each of [one, other]) bound.bind(each);

    expect([given.env, bound.env]).toEqual([one, one]);
    expect(given.env).toBe(one);
    expect(bound.env).toBe(one);
    expect(new Through(undefined).env.direct).toBe(true);
  });
});
