import { describe, expect, it } from 'vitest';
import { Deferred } from '../../src/kernel/deferred.ts';

describe('Deferred', () => {
  it('resolves its promise and says that it is settled', async () => {
    const answer = new Deferred<number>();
    expect(answer.settled).toBe(false);

    answer.resolve(42);

    expect(answer.settled).toBe(true);
    expect(await answer.promise).toBe(42);
  });

  it('rejects its promise', async () => {
    const answer = new Deferred<number>();

    answer.reject(new Error('no'));

    expect(answer.settled).toBe(true);
    await expect(answer.promise).rejects.toThrow('no');
  });

  it('ignores what comes after the first settlement', async () => {
    const answer = new Deferred<number>();

    answer.resolve(1);
    answer.reject(new Error('late'));
    answer.resolve(2);

    expect(await answer.promise).toBe(1);
  });
});
