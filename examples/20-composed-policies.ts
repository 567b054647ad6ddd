// 20 Composed policies: those of other libraries stand between our own, in the order written.
import { ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import {
  bulkhead,
  compose,
  type Execution,
  fallback,
  isTellaskError,
  retry,
  timeout,
} from 'tellask';

// A breaker of cockatiel, kept from before: whatever has execute(fn, signal?) is a policy.
const breaker = circuitBreaker(handleAll, {
  halfOpenAfter: 60_000,
  breaker: new ConsecutiveBreaker(3),
});
const seats = bulkhead({ limit: 2, queue: 2 });

// Outer to inner: again and again, unless it is down, two at a time, each at most so long.
const guarded = compose(
  retry({ maxAttempts: 3, baseMs: 1, jitter: 'none' }),
  breaker,
  seats,
  timeout({ timeoutMs: 50 }),
);

// A flaky service: retried, and all inside know which attempt it is.
const answer = await guarded.execute(({ attempt }) => {
  if (attempt < 3) throw new Error('busy');
  return `answered at attempt ${attempt}`;
});
console.log(answer);

// Five callers, two slots, two places to wait: one too many.
const slow = () => new Promise<string>((resolve) => setTimeout(resolve, 5, 'done'));
const calls = Array.from({ length: 5 }, () => seats.execute(slow));
console.log('while they run:', seats.inspect());
const ends = await Promise.allSettled(calls);
for (const end of ends) {
  console.log(end.status === 'fulfilled' ? end.value : end.reason.message);
}

// A service that hangs, but heeds its signal: every attempt ends in time, no slot is lost.
const hang = ({ signal }: Pick<Execution, 'signal'>) =>
  new Promise<string>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
const error: unknown = await guarded.execute(hang).catch((reason: unknown) => reason);
console.log('timed out:', isTellaskError(error, 'TELLASK_POLICY_TIMEOUT'), seats.inspect());

// By now the breaker of cockatiel is open, which is final for our retry; a fallback answers.
const answered = compose(fallback({ value: 'from the cache' }), guarded);
console.log(await answered.execute(hang));
