import { describe, expect, it } from 'vitest';
import type { Context, Message } from '../../src/index.ts';
import { makeBus } from '../make-bus.ts';

describe.each(['real', 'simulated'] as const)('what a message says, on the %s Env', (env) => {
  // F:A10
  it('carries everything that was said, and says it as plain data', async () => {
    const { bus, settle } = makeBus(env);
    let heard: Message | undefined;
    bus.subscribe('a.b', (message) => {
      heard = message;
    });

    const receipt = bus.register('w').publish('a.b', { n: 1 }, { priority: 'high', ttlMs: 1_000 });
    await settle();

    const message = heard as Message;
    expect(message).toMatchObject({ id: receipt.id, topic: 'a.b', from: 'w', priority: 8 });
    expect(message.correlationId).toBe(message.id);
    expect((message.expiresAt as number) - message.sentAt).toBe(1_000);
    expect(JSON.parse(JSON.stringify(message))).toMatchObject({ topic: 'a.b', payload: { n: 1 } });
  });

  it('cannot be changed by whoever hears it', async () => {
    const { bus, settle } = makeBus(env);
    const thrown: unknown[] = [];
    bus.subscribe('x', (message) => {
      try {
        (message as { topic: string }).topic = 'y';
      } catch (error) {
        thrown.push(error);
      }
      thrown.push(message.topic);
    });

    bus.publish('x', 1);
    await settle();

    expect(thrown.at(-1)).toBe('x');
  });

  // F:A11 F:C3 DESIGN "Inheritance is explicit"
  it('hands trace headers and the conversation on through the context, and nothing through a handle', async () => {
    const { bus, settle } = makeBus(env);
    const heard: Message[] = [];
    const agent = bus.register('a');
    agent.subscribe('first', (_message, context) => {
      context.publish('by-context', 1);
      agent.publish('by-handle', 1);
    });
    bus.subscribe('{by-context,by-handle}', (message) => void heard.push(message));

    const first = bus.publish('first', 1, {
      priority: 9,
      headers: { traceparent: '00-1', baggage: 'k=v', mine: 'stays' },
    });
    await settle();

    const [inherited, fresh] = heard.sort((a, b) => a.topic.localeCompare(b.topic));
    expect(inherited).toMatchObject({
      correlationId: first.id,
      causationId: first.id,
      priority: 5,
    });
    expect({ ...inherited?.headers }).toEqual({ traceparent: '00-1', baggage: 'k=v' });
    expect(fresh).toMatchObject({ correlationId: fresh?.id, causationId: undefined });
    expect(fresh?.headers).toEqual({});
  });

  it('lets a request inherit the priority too', async () => {
    const { bus, settle } = makeBus(env);
    const seen: number[] = [];
    bus.register('b').serve('q', ({ priority }) => void seen.push(priority));
    bus.register('a').subscribe('x', (_m, context: Context) => context.request('q', 1));

    bus.publish('x', 1, { priority: 'critical' });
    await settle();

    expect(seen).toEqual([10]);
  });

  it('lets the speaker name the conversation', async () => {
    const { bus, settle } = makeBus(env);
    const seen: string[] = [];
    bus.subscribe('x', ({ correlationId }) => void seen.push(correlationId));

    bus.publish('x', 1, { correlationId: 'order-7' });
    await settle();

    expect(seen).toEqual(['order-7']);
  });

  // F:L1 R:E4
  it('takes the speaker from the handle, whatever payload and headers claim', async () => {
    const { bus, settle } = makeBus(env);
    const seen: string[] = [];
    bus.subscribe('x', ({ from }) => void seen.push(from));
    const mallory = bus.register('mallory');

    mallory.publish('x', { from: 'boss' }, { headers: { from: 'boss' } });
    await settle();

    expect(seen).toEqual(['mallory']);
    expect(() => mallory.publish('x', 1, { from: 'boss' } as object)).toThrow(TypeError);
  });
});
