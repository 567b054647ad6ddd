import assert from 'node:assert/strict';
import type { Agent, Context } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import type { ClassicBug } from './classic-bug.ts';

/** What is charged, by key: charging twice under one key is charging once. */
type Charges = Map<string, number>;
type KeyOf = (context: Context) => string;

/** Charges the card and mails the receipt; the whole of it is tried again when something fails. */
function makeShop(agent: Agent, charges: Charges, keyOf: KeyOf): void {
  agent.subscribe(
    'order',
    async ({ payload }, context) => {
      charges.set(keyOf(context), Number(payload));
      await context.request('mail', `receipt over ${payload}`);
    },
    { retry: { maxAttempts: 3 } },
  );
}

/** Cannot mail before it was told by which server. */
function makePostman(agent: Agent): void {
  let server: unknown;
  agent.subscribe('settings', ({ payload }) => {
    server = payload;
  });
  agent.serve('mail', () => {
    if (server === undefined) throw new Error('no server yet');
  });
}

async function play({ bus, run }: TestBus, keyOf: KeyOf): Promise<void> {
  const charges: Charges = new Map();
  makePostman(bus.register('postman'));
  makeShop(bus.register('shop'), charges, keyOf);
  bus.register('office').subscribe('morning', (_message, context) => {
    context.publish('settings', 'smtp.example');
  });

  bus.publish('morning', {});
  bus.publish('order', 40);
  await run();

  const sum = [...charges.values()].reduce((one, other) => one + other, 0);
  assert.equal(sum, 40, 'what the card was charged with for one order of 40');
}

export const retriedSideEffect: ClassicBug = {
  name: 'retry that doubles a side effect',
  buggy: (t) => play(t, ({ attempt }) => `attempt ${attempt}`),
  mended: (t) => play(t, ({ idempotencyKey }) => idempotencyKey),
};
