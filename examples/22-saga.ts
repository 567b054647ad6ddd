// 22 A saga: steps that are undone in reverse order when one of them fails.
import { type Agent, MessageBus, saga } from 'tellask';

interface Trip {
  readonly to: string;
  readonly guests: number;
}

/** Serves `<what>.book` and `<what>.cancel`, for so many guests at most. */
function makeDesk(agent: Agent, what: string, places: number): void {
  agent.serve(`${what}.book`, (request) => {
    const { to, guests } = request.payload as Trip;
    if (guests > places) throw new Error(`no ${what} for ${guests}`);
    console.log(`  ${what} booked`);
    return `${what} to ${to}`;
  });
  agent.serve(`${what}.cancel`, (request) => console.log(`  ${String(request.payload)} cancelled`));
}

/** What books something, and what takes it back if anything may have been booked. */
function booking(what: string) {
  return {
    run: async (trip: Trip, c: { request: Agent['request']; idempotencyKey: string }) =>
      (await c.request(`${what}.book`, trip, { idempotencyKey: c.idempotencyKey })) as string,
    compensate: (booked: string | undefined, c: { request: Agent['request'] }) =>
      c.request(`${what}.cancel`, booked ?? `whatever ${what} there is`),
  };
}

const trips = saga<Trip>('trip')
  .step('flight', booking('flight'))
  .parallel('extras', { hotel: booking('hotel'), car: booking('car') })
  .step('insurance', booking('insurance'))
  // From here on nothing is undone: what was announced cannot be taken back.
  .step('mail', { run: (_, c) => console.log(`  mail: ${c.results.flight}`), pivot: true });

const bus = new MessageBus();
makeDesk(bus.register('airline'), 'flight', 300);
makeDesk(bus.register('house'), 'hotel', 20);
makeDesk(bus.register('garage'), 'car', 9);
makeDesk(bus.register('insurer'), 'insurance', 6);
const writer = bus.register('writer');

for (const [id, guests] of [
  ['small', 2],
  ['large', 7],
] as const) {
  console.log(`${id}: ${guests} guests`);
  const { status, error } = await trips.run(id, { to: 'Rome', guests }, { as: writer });
  console.log(error === undefined ? status : `${status}, because of ${error.message}`);
}
// The same id gives the first result again; nothing is booked twice.
console.log((await trips.run('small', { to: 'Rome', guests: 2 }, { as: writer })).status);
console.log(await trips.runToMermaid('large'));
await bus.close();
