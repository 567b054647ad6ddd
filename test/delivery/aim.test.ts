import { describe, expect, it } from 'vitest';
import { RejectedError } from '../../src/index.ts';
import type { Call, Target } from '../../src/resilience/call.ts';
import { OwnPolicy, type Work } from '../../src/resilience/policy.ts';
import { makeBus } from '../make-bus.ts';

type Around = (target: Target, fn: () => PromiseLike<unknown>) => unknown;

/** A policy that looks at whom the call is for. */
class Targeting extends OwnPolicy {
  readonly #around: Around;

  constructor(around: Around) {
    super(undefined);
    this.#around = around;
  }

  async run<T>(fn: Work<T>, call: Call): Promise<T> {
    const made = this.#around(call.target as Target, async () => fn(call));
    return made as Promise<T>;
  }
}

const targeting = (around: Around) => new Targeting(around);

describe.each(['real', 'simulated'] as const)('the aim of a call, on the %s Env', (env) => {
  // F:D2
  it('asks one whose circuit lets it, and leaves the choice to the breaker', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    for (const name of ['ann', 'bob', 'cat']) {
      bus.register(name).serve('q', () => {
        log.push(name);
        return name;
      });
    }
    const chosen: string[] = [];
    const admitting = (...names: string[]) =>
      targeting((target, fn) => {
        chosen.push(target.choose((name) => names.includes(name)));
        return fn();
      });

    for (let n = 0; n < 4; n++) {
      void bus.request('q', n, { policy: admitting('bob') });
      await settle();
    }
    void bus.request('q', 9, { policy: admitting() });
    await settle();

    expect(log.slice(0, 4)).toEqual(['bob', 'bob', 'bob', 'bob']);
    expect(chosen).toEqual(log);
  });

  it('keeps to whom the breaker counts when the retry is inside', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    for (const name of ['ann', 'bob', 'cat']) {
      bus.register(name).serve('q', () => {
        log.push(name);
        throw new Error('no');
      });
    }
    const policy = targeting(async (target, fn) => {
      log.push(`counts ${target.choose(() => true)}`);
      return fn().then(undefined, fn);
    });

    void bus.request('q', 1, { policy }).catch(() => {});
    await settle();

    const [counted, first, second] = log;
    expect([counted, second]).toEqual([`counts ${first}`, first]);
  });

  it('holds against a responder that he is full or busy, and not that something newer came', async () => {
    const { bus, settle } = makeBus(env);
    const blamed: unknown[][] = [];
    const policy = targeting(async (target, fn) => {
      try {
        return await fn();
      } catch (error) {
        blamed.push([(error as { code?: string }).code, target.blames?.(error)]);
        throw error;
      }
    });
    const ask = (topic: string) => bus.request(topic, 1, { policy }).catch(() => {});
    const full = bus.register('full', { capacity: 1 });
    full.serve('full', () => 1);
    full.serve('latest', () => 1, { key: () => 1, busy: 'latest', lane: 'own' });
    const busy = bus.register('busy');
    busy.serve('busy', () => new Promise(() => {}), { key: () => 1, busy: 'reject' });

    full.pause();
    void ask('full');
    void ask('full');
    void bus.request('busy', 1).catch(() => {});
    await settle();
    void ask('busy');
    await settle();
    void ask('latest');
    void bus.request('latest', 2).catch(() => {});
    await settle();

    expect(blamed).toEqual([
      ['TELLASK_MAILBOX_FULL', true],
      ['TELLASK_BUSY', true],
      ['TELLASK_CANCELLED', false],
    ]);
  });

  it('says whom an error speaks against', async () => {
    const { bus, settle } = makeBus(env);
    const blamed: [string, boolean | undefined][] = [];
    const policy = targeting(async (target, fn) => {
      try {
        return await fn();
      } catch (error) {
        blamed.push([String((error as { code?: string }).code), target.blames?.(error)]);
        throw error;
      }
    });
    const agent = bus.register('a', { capacity: 0 });
    agent.serve('fails', () => {
      throw Object.assign(new Error('no'), { code: 'OWN' });
    });
    const other = bus.register('b');
    other.serve('rejects', () => {
      throw new RejectedError('not mine');
    });

    for (const topic of ['nobody', 'rejects']) {
      void bus.request(topic, 1, { policy }).catch(() => {});
      await settle();
    }

    expect(blamed).toEqual([
      ['TELLASK_NO_RESPONDER', false],
      ['TELLASK_REJECTED', false],
    ]);
  });
});
