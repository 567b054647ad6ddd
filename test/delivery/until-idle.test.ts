import { expect, it, vi } from 'vitest';
import { Ledger } from '../../src/delivery/ledger.ts';
import { untilIdle } from '../../src/delivery/shutdown.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

// R:D2: with nothing else on the clock Node would end the program, and nobody would know why.
it.each([30_000, Infinity])('keeps the process alive while it waits %s ms', async (timeoutMs) => {
  const env = new SimEnv({ seed: 1 });
  const setTimer = vi.spyOn(env, 'setTimer');
  const ledger = new Ledger();
  ledger.admit(1);

  const idle = untilIdle(env, ledger, timeoutMs);
  ledger.closeOne();

  expect(setTimer.mock.calls.map(([, , options]) => options?.keepAlive)).toEqual([true]);
  expect(await idle).toBe(true);
  expect(env.pendingTimers()).toEqual([]);
});

it('waits for ever when it has no limit', async () => {
  const env = new SimEnv({ seed: 1 });
  const ledger = new Ledger();
  ledger.admit(1);
  let ended = false;

  void untilIdle(env, ledger, Infinity).then(() => {
    ended = true;
  });
  await env.run();

  expect(ended).toBe(false);
});
