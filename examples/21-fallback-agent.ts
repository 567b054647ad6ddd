// 21 Fallback agents and policies: who is asked again, who is asked instead, who is left in peace.
import { type Agent, circuitBreaker, compose, MessageBus, retry, timeout } from 'tellask';

/** Fails so many times, then is well. */
function makeFlaky(agent: Agent, failures: number): void {
  let calls = 0;
  agent.serve('question', (request, context) => {
    calls++;
    console.log(`${agent.name}, call ${calls}, key ${context.idempotencyKey}: ${request.payload}`);
    if (calls <= failures) throw new Error(`${agent.name} is not well`);
    return `${agent.name} knows`;
  });
}

const bus = new MessageBus({ fallback: { athena: ['dionysus'] } });
makeFlaky(bus.register('athena'), 4);
makeFlaky(bus.register('dionysus'), 0);
const asker = bus.register('asker');

// Three attempts of one call: each is a request of its own, and all have the same key.
const breaker = circuitBreaker({ failures: 3, openMs: 60_000 });
const policy = compose(
  retry({ maxAttempts: 3, baseMs: 1 }),
  breaker,
  timeout({ timeoutMs: 1_000 }),
);
const asking = { to: 'athena', policy, timeoutMs: 5_000 };
console.log(await asker.request('question', 'first', { ...asking, idempotencyKey: 'q-1' }));

// Her circuit is open now: she is left in peace, and dionysus is asked at once.
console.log(await asker.request('question', 'second', { ...asking, idempotencyKey: 'q-2' }));
console.log(breaker.for('athena').status, breaker.for('dionysus').status);

// A call may name others of its own; when all fail, the error has every cause.
const others = { ...asking, fallback: ['hermes', 'ares'] };
const failed = await asker.request('question', 'third', others).catch((error: unknown) => error);
const { code, errors } = failed as { code: string; errors: Error[] };
console.log(code);
for (const error of errors) console.log(`- ${error.name}: ${error.message}`);

// Nobody named: the bus asks one whose circuit is closed.
const anybody = { policy, idempotencyKey: 'q-4' };
console.log(await asker.request('question', 'fourth', anybody));

await bus.close();
