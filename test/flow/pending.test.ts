import { describe, expect, it } from 'vitest';
import type { Later, PendingRequest } from '../../src/index.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, hang } from './books.ts';

const brief = ({ topic, to, status }: PendingRequest): string => `${topic} ${to} ${status}`;

describe.each(['real', 'simulated'] as const)('bus.pending(), on the %s Env', (env) => {
  // R:F0 F:C12
  it('lists what waits for an answer, oldest first, with where it is', async () => {
    const { bus, settle } = makeBus(env, { graceMs: 0 });
    const busy = bus.register('busy', { capacity: 1, overflow: 'wait' });
    busy.serve('work', hang);
    bus.register('desk').serve('approve', (_request, context) => context.defer());
    bus.register('weak').serve('try', () => Promise.reject(new Error('no')), {
      retry: { maxAttempts: 2, baseMs: 5_000 },
    });

    for (const topic of ['work', 'approve', 'try']) void bus.request(topic, 1).catch(() => {});
    await settle();
    for (const topic of ['work', 'work']) void bus.request(topic, 2).catch(() => {});
    await settle();

    expect(bus.pending().map(brief)).toEqual([
      'work busy running',
      'approve desk deferred',
      'try weak retrying',
      'work busy queued',
      'work busy waiting',
    ]);
    bus.conversation(bus.pending()[1]?.correlationId ?? '').cancel();
    expect(bus.pending().map(brief)).not.toContain('approve desk deferred');
  });

  it('says who asks whom for what, since when and until when', async () => {
    const { bus, settle } = makeBus(env);
    let seen: { id: string; sentAt: number; expiresAt: number | undefined } | undefined;
    bus.register('desk').serve('approve', (request, context) => {
      seen = request;
      context.defer();
    });
    bus
      .register('ann')
      .request('approve', { euros: 3 }, { correlationId: 'talk' })
      .catch(() => {});
    await settle();

    expect(bus.pending()).toEqual([
      {
        id: seen?.id,
        topic: 'approve',
        from: 'ann',
        to: 'desk',
        input: { euros: 3 },
        askedAt: seen?.sentAt,
        deadlineAt: seen?.expiresAt,
        status: 'deferred',
        correlationId: 'talk',
      },
    ]);
  });

  it('is true at once, and in the middle of a handler', async () => {
    const { bus, settle } = makeBus(env);
    const inside: string[] = [];
    bus.register('a').serve('q', () => void inside.push(...bus.pending().map(brief)));

    const asked = bus.request('q', 1);
    const before = bus.pending().map(brief);
    await Promise.all([asked, settle()]);

    expect(before).toEqual(['q a queued']);
    expect(inside).toEqual(['q a running']);
    expect(bus.pending()).toEqual([]);
  });

  it.each([
    {
      filter: { topic: 'approve.*' },
      found: ['approve.1 desk deferred', 'approve.2 desk deferred'],
    },
    { filter: { to: 'other' }, found: ['q other running'] },
    { filter: { from: 'ann' }, found: ['approve.1 desk deferred'] },
    { filter: { status: 'running' }, found: ['q other running'] },
    { filter: { correlationId: 'talk' }, found: ['approve.2 desk deferred'] },
    { filter: { from: 'ann', status: 'running' }, found: [] },
    {
      filter: { to: undefined },
      found: ['approve.1 desk deferred', 'approve.2 desk deferred', 'q other running'],
    },
  ] as const)('narrows by $filter', async ({ filter, found }) => {
    const { bus, settle } = makeBus(env);
    bus.register('desk').serve('approve.*', (_request, context) => context.defer());
    bus.register('other').serve('q', hang);
    bus
      .register('ann')
      .request('approve.1', 1)
      .catch(() => {});
    void bus.request('approve.2', 1, { correlationId: 'talk' }).catch(() => {});
    void bus.request('q', 1).catch(() => {});
    await settle();

    expect(bus.pending(filter as never).map(brief)).toEqual(found);
  });

  it('refuses a filter that it does not have', () => {
    const { bus } = makeBus(env);

    expect(codeOf(() => bus.pending({ agent: 'x' } as never))).toBeInstanceOf(TypeError);
    expect(codeOf(() => bus.pending({ topic: 'a..b' }))).toBe('TELLASK_INVALID_PATTERN');
  });

  it('lists the nearer end of what was deferred with one, and what was redriven', async () => {
    const { bus, settle } = makeBus(env);
    const owed: Later[] = [];
    let broken = true;
    bus.register('desk').serve('approve', (_request, context) => {
      if (broken) throw new Error('broken');
      owed.push(context.defer(undefined, { timeoutMs: 10_000 }));
    });
    void bus.request('approve', 1).catch(() => {});
    await settle();
    broken = false;
    await bus.deadLetters.redrive();
    await settle();

    const [request] = bus.pending();
    expect(request).toMatchObject({ status: 'deferred', deadlineAt: owed[0]?.deadlineAt });
    expect(request?.id).toBe(owed[0]?.id);
  });
});
