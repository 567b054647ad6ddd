// 18 Retry budget: many callers together retry only a part of what they call.
import { retry, retryBudget } from 'tellask';

/** A service that is down, and counts how often it is called. */
function makeService() {
  let calls = 0;
  return {
    calls: () => calls,
    ask: async (): Promise<string> => {
      calls += 1;
      throw new Error('down');
    },
  };
}

const CALLERS = 100;
const everyTime = { maxAttempts: 4, baseMs: 0 } as const;

// Without a budget everybody who fails comes again, just when the service can bear it least.
const unbounded = makeService();
const alone = retry(everyTime);
await Promise.allSettled(Array.from({ length: CALLERS }, () => alone.execute(unbounded.ask)));
console.log(`${CALLERS} callers, no budget: ${unbounded.calls()} calls`);

// One budget for all who call this service: one retry for every ten calls, no reserve.
const bounded = makeService();
const budget = retryBudget({ ratio: 0.1, minPerSecond: 0 });
const together = retry({ ...everyTime, budget });
const results = await Promise.allSettled(
  Array.from({ length: CALLERS }, () => together.execute(bounded.ask)),
);
console.log(`${CALLERS} callers, one budget: ${bounded.calls()} calls`);

// Who may not retry gets the error of the service at once.
const [first] = results;
console.log('the first caller got:', first?.status === 'rejected' ? first.reason.message : first);
const { granted, refused } = budget.snapshot();
console.log(`retries: ${granted} granted, ${refused} refused`);
