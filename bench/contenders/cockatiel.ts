import { AT_A_TIME, type Contender, open } from '../contender.ts';

const library = (): Promise<typeof import('cockatiel')> => import('cockatiel');

export const contender: Contender = {
  name: 'cockatiel',
  package: 'cockatiel',
  abilities: {
    policies: async () => {
      const cockatiel = await library();
      const { handleAll, ConsecutiveBreaker, ExponentialBackoff, TimeoutStrategy } = cockatiel;
      const breaker = () =>
        cockatiel.circuitBreaker(handleAll, {
          halfOpenAfter: 30_000,
          breaker: new ConsecutiveBreaker(5),
        });
      return {
        retryAndBreaker: () => {
          const retry = cockatiel.retry(handleAll, {
            maxAttempts: 3,
            backoff: new ExponentialBackoff(),
          });
          const policy = cockatiel.wrap(retry, breaker());
          return (work) => policy.execute(work);
        },
        openBreaker: async () => {
          const policy = breaker();
          await open(policy);
          return (work) => policy.execute(work);
        },
        timeout: () => {
          const policy = cockatiel.timeout(60_000, TimeoutStrategy.Aggressive);
          return (work) => policy.execute(work);
        },
      };
    },
    bulkhead: async () => {
      const { bulkhead } = await library();
      const policy = bulkhead(AT_A_TIME, Number.POSITIVE_INFINITY);
      return (work) => policy.execute(work);
    },
    breakers: async () => {
      const { circuitBreaker, handleAll, ConsecutiveBreaker } = await library();
      return async (count) => {
        const all: unknown[] = [];
        for (let index = 0; index < count; index += 1) {
          const breaker = new ConsecutiveBreaker(5);
          const policy = circuitBreaker(handleAll, { halfOpenAfter: 30_000, breaker });
          await policy.execute(() => index);
          all.push(policy);
        }
        return all;
      };
    },
  },
};
