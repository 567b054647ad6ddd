import { type AnyContract, type BusOptions, type ContractShape, MessageBus } from '../src/index.ts';
import { createTestBus } from '../src/testing.ts';

/** A bus for a test, and how to let it come to rest. */
export interface BusUnderTest<C extends ContractShape = AnyContract> {
  readonly bus: MessageBus<C>;
  /** Everything that can happen now has happened. */
  settle(): Promise<void>;
}

/** Every flow test makes its bus here, so that the whole suite runs on either Env. */
export type EnvName = 'real' | 'simulated';

/** Makes a bus on the Env of that name. */
export function makeBus<C extends ContractShape = AnyContract>(
  env: EnvName,
  options: BusOptions<C> = {},
): BusUnderTest<C> {
  if (env === 'simulated') {
    const t = createTestBus<C>({
      unheard: 'count',
      lostContext: 'allow',
      leaks: 'allow',
      ...options,
    });
    return { bus: t.bus, settle: () => t.settle() };
  }
  const bus = new MessageBus<C>(options);
  return { bus, settle: () => comeToRest(bus) };
}

/** On real time there is no end to wait for but that nothing changes from turn to turn. */
async function comeToRest(bus: { inspect(): unknown }): Promise<void> {
  let last = '';
  for (let still = 0; still < 3; ) {
    await new Promise((resolve) => setImmediate(resolve));
    const books = JSON.stringify(bus.inspect());
    still = books === last ? still + 1 : 0;
    last = books;
  }
}
