import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { installEnvTrap } from './env-trap.ts';

/** Suites that run buses: there, nothing of `src` but the Envs may touch time, order or chance. */
const TRAPPED = /[\\/]test[\\/](flow|delivery|agents|attacks|resilience|saga|wiring)[\\/]/;

const PROTOTYPES = [Object, Array, Function, Map, Set, Promise].map(({ prototype }) => prototype);

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
let keysBefore: PropertyKey[][] = [];
let removeTrap = (): void => {};

beforeAll(() => {
  process.on('unhandledRejection', note);
  keysBefore = PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype));
  if (TRAPPED.test(expect.getState().testPath ?? '')) removeTrap = installEnvTrap();
});

// R:C1: whatever handlers, listeners, schemas, loggers and taps do, no rejection is left alone.
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled.splice(0)).toEqual([]);
});

// R:E2: nothing that a test sent has reached a prototype.
afterAll(() => {
  removeTrap();
  process.off('unhandledRejection', note);
  expect(PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype))).toEqual(keysBefore);
});
