import { describe, expect, it } from 'vitest';
import { Deferred } from '../../src/kernel/deferred.ts';
import { type Cached, type CachedOptions, cached } from '../../src/state/cached.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { thrownBy } from './make-state.ts';

/** A cache whose source answers when the test says so. */
function makeCache(options: Partial<CachedOptions> = {}) {
  const env = new SimEnv();
  const calls: { key: string; answer: Deferred<string>; signal: AbortSignal }[] = [];
  const cache: Cached<string, string> = cached(
    (key: string, { signal }) => {
      const answer = new Deferred<string>();
      calls.push({ key, answer, signal });
      return answer.promise;
    },
    { ttlMs: 100, env, ...options },
  );
  /** Asks, and lets the source give an answer when it is asked. */
  const ask = async (key: string, answer: string | Error): Promise<string> => {
    const before = calls.length;
    const got = cache.get(key).catch((error: Error) => `! ${error.message}`);
    const call = calls[before];
    if (answer instanceof Error) call?.answer.reject(answer);
    else call?.answer.resolve(answer);
    return got;
  };
  return { env, cache, calls, ask };
}

// F:I7
describe('a read cache', () => {
  it('asks the source once for all who ask at once, and again when the value is old', async () => {
    const { env, cache, calls, ask } = makeCache();
    const both = Promise.all([cache.get('a'), cache.get('a')]);
    calls[0]?.answer.resolve('one');
    expect(await both).toEqual(['one', 'one']);

    await env.advance(99);
    expect(await ask('a', 'unasked')).toBe('one');
    await env.advance(1);
    expect(await ask('a', 'two')).toBe('two');

    expect(cache.metrics()).toMatchObject({ keys: 1, loads: 2, hits: 1, joined: 1, loading: 0 });
  });

  it('keeps no errors, unless it is told for how long', async () => {
    const { ask } = makeCache();
    expect(await ask('a', new Error('down'))).toBe('! down');
    expect(await ask('a', 'up')).toBe('up');

    const patient = makeCache({ errorTtlMs: 50 });
    expect(await patient.ask('a', new Error('down'))).toBe('! down');
    expect(await patient.ask('a', 'unasked')).toBe('! down');
    await patient.env.advance(50);
    expect(await patient.ask('a', 'up')).toBe('up');
    expect(patient.cache.metrics()).toMatchObject({ loads: 2, failures: 1 });
  });

  it('gives an old value while the source fails, as long as it may', async () => {
    const { env, cache, ask } = makeCache({ staleWhileErrorMs: 200, errorTtlMs: 20 });
    await ask('a', 'old');
    await env.advance(150);

    expect(await ask('a', new Error('down'))).toBe('old');
    expect(await ask('a', 'unasked')).toBe('old');
    await env.advance(100);
    expect(await ask('a', new Error('down'))).toBe('old');
    expect(cache.metrics()).toMatchObject({ loads: 3, stale: 3 });
    await env.advance(50);

    expect(await ask('a', new Error('down'))).toBe('! down');
  });

  it('keeps so many keys, and those that were asked for last', async () => {
    const { cache, ask } = makeCache({ maxKeys: 2 });
    for (const key of ['a', 'b', 'a', 'c']) await ask(key, key);

    expect(await ask('a', 'unasked')).toBe('a');
    expect(await ask('b', 'again')).toBe('again');
    expect(cache.metrics()).toMatchObject({ keys: 2, evictions: 2 });
  });

  it('lets one who waits go without the others, and the source when all have gone', async () => {
    const { cache, calls } = makeCache();
    const [one, other] = [new AbortController(), new AbortController()];
    const first = cache.get('a', { signal: one.signal });
    const second = cache.get('a', { signal: other.signal });
    one.abort('bored');
    await expect(first).rejects.toBe('bored');
    expect(calls[0]?.signal.aborted).toBe(false);
    calls[0]?.answer.resolve('late');
    expect(await second).toBe('late');

    cache.invalidate('a');
    const third = cache.get('a', { signal: other.signal });
    other.abort('bored, too');
    await expect(third).rejects.toBe('bored, too');
    expect(calls[1]?.signal.reason).toBe('bored, too');
    await expect(cache.get('a', { signal: other.signal })).rejects.toBe('bored, too');
    const fourth = cache.get('a');
    calls[1]?.answer.resolve('of nobody');
    calls[2]?.answer.resolve('anew');
    expect(await fourth).toBe('anew');
    expect(calls).toHaveLength(3);
  });

  it('gives nobody who asks later what was read before a key was invalidated', async () => {
    const { cache, calls } = makeCache();
    const before = cache.get('a');
    cache.invalidate('a');
    const after = cache.get('a');
    calls[1]?.answer.resolve('new');
    expect(await after).toBe('new');
    calls[0]?.answer.resolve('old');
    expect(await before).toBe('old');

    expect(await cache.get('a')).toBe('new');
    const unkept = cache.get('b');
    cache.clear();
    calls[2]?.answer.reject(new Error('down'));
    await expect(unkept).rejects.toThrow('down');
    expect(cache.metrics()).toMatchObject({ keys: 0, loading: 0 });
  });

  it('rejects with what a source throws at once, and keeps undefined as any value', async () => {
    let asked = 0;
    const cache = cached(
      (key: string): undefined => {
        asked++;
        if (key === 'bad') throw new Error('at once');
      },
      { ttlMs: Infinity },
    );

    await expect(cache.get('bad')).rejects.toThrow('at once');
    expect([await cache.get('a'), await cache.get('a'), asked]).toEqual([undefined, undefined, 2]);
  });

  it('keeps nothing when its time is 0, but asks once for all who ask at once', async () => {
    const { cache, calls } = makeCache({ ttlMs: 0 });
    const both = Promise.all([cache.get('a'), cache.get('a')]);
    calls[0]?.answer.resolve('one');
    await both;

    void cache.get('a');

    expect([calls.length, cache.metrics().keys]).toEqual([2, 0]);
  });

  it.each([
    ['no time', {}],
    ['a time of NaN', { ttlMs: Number.NaN }],
    ['a time below 0', { ttlMs: -1 }],
    ['no key', { ttlMs: 1, maxKeys: 0 }],
    ['a mistyped option', { ttlMs: 1, max: 3 }],
  ])('refuses %s', (_, options) => {
    const thrown = thrownBy(() => cached(() => 1, options as CachedOptions));

    expect(['TypeError', 'RangeError']).toContain((thrown as Error)?.name);
  });
});
