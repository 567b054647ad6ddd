import { describe, expect, it } from 'vitest';
import { makeBus } from '../make-bus.ts';

describe.each(['real', 'simulated'] as const)(
  'what the bus tells of itself, on the %s Env',
  (env) => {
    // R:A8
    it('announces everything that it admits: what is published, sent and asked', async () => {
      const { bus, settle } = makeBus(env);
      const log: string[] = [];
      bus.events.on('admitted', ({ type, topic }, recipients) => {
        log.push(`${type} ${topic} to ${recipients}`);
      });
      const agent = bus.register('agent');
      agent.subscribe('told', () => {});
      agent.serve('asked', () => 'answer');

      bus.publish('told', {});
      bus.send('agent', 'told', {});
      bus.send('agent', 'unhandled', {});
      await Promise.all([bus.request('asked', {}), settle()]);

      expect(log).toEqual([
        'event told to agent',
        'task told to agent',
        'task unhandled to agent',
        'request asked to agent',
      ]);
      expect(bus.inspect().admitted).toBe(log.length);
    });

    // R:A7
    it('counts and announces a request that finds no place as refused, like what is sent', async () => {
      const { bus, settle } = makeBus(env);
      const log: string[] = [];
      bus.events.on('refused', (topic, from, error) => {
        log.push(`${topic} from ${from}: ${(error as Error).name}`);
      });
      const agent = bus.register('agent', { capacity: 0 });
      agent.subscribe('told', () => {});
      agent.serve('asked', () => 'answer');
      agent.pause();

      const codes: unknown[] = [];
      bus.request('asked', {}).catch(({ code }) => codes.push(code));
      await settle();
      try {
        bus.send('agent', 'told', {});
      } catch (error) {
        codes.push((error as { code?: unknown }).code);
      }

      expect(codes).toEqual(['TELLASK_MAILBOX_FULL', 'TELLASK_MAILBOX_FULL']);
      expect(log).toEqual([
        'asked from $host: MailboxFullError',
        'told from $host: MailboxFullError',
      ]);
      expect(bus.inspect().refused).toBe(2);
      expect(bus.inspect().admitted).toBe(0);
    });
  },
);
