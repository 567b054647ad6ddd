import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { consoleLogger, defineContract, Recorder } from '../../src/index.ts';
import { makeBus } from '../make-bus.ts';

const CANARY = 'canary-4711';

// R:E7
describe.each(['real', 'simulated'] as const)('secrets, on the %s Env', (env) => {
  it('shows a payload in nothing that the library writes by itself', async () => {
    const sink: string[] = [];
    const write = (line: string): void => void sink.push(line);
    const console = { debug: write, info: write, warn: write, error: write };
    const contract = defineContract({
      topics: { strict: z.object({ n: z.number() }), open: z.unknown() },
      requests: { q: { input: z.unknown(), output: z.object({ n: z.number() }) } },
    });
    const { bus, settle } = makeBus(env, {
      contract,
      logger: consoleLogger({ console }),
      unheard: 'warn',
      onFault: (error, where) => void sink.push(`${where} ${(error as Error).message}`),
    });
    const agent = bus.register('a', { capacity: 1 });
    agent.serve('q', () => ({ n: CANARY }) as never);
    bus.tap('**', () => {
      throw new Error('tap');
    });
    const errors: unknown[] = [];
    const attempt = (call: () => unknown): void => {
      try {
        call();
      } catch (error) {
        errors.push(error);
      }
    };

    attempt(() => bus.publish('strict', { n: CANARY } as never));
    attempt(() => bus.publish('open', { apiKey: CANARY }));
    attempt(() => bus.send('ghost', 'open', { apiKey: CANARY }));
    const asked = bus.request('q', { apiKey: CANARY }).catch((error) => errors.push(error));
    await settle();
    await asked;

    for (const error of errors) sink.push(`${error} ${JSON.stringify(error)}`);
    sink.push(JSON.stringify([bus.inspect(), bus.metrics(), bus.explain('open')]));
    sink.push(JSON.stringify(bus.deadLetters.list().map(({ error }) => error ?? null)));
    expect(errors).toHaveLength(3);
    expect(sink.length).toBeGreaterThan(5);
    expect(sink.join('\n')).not.toContain(CANARY);
  });

  it('is not even looked at by the recorder', async () => {
    const { bus, settle } = makeBus(env);
    const recorder = new Recorder();
    bus.tap('**', recorder.observe);

    bus.publish('x', { password: CANARY, plain: 1 });
    await settle();

    expect(JSON.stringify(recorder.entries())).not.toContain(CANARY);
  });

  it('escapes what an agent writes, so that nobody can forge a line of the log', async () => {
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(line);
    const logger = consoleLogger({
      console: { debug: write, info: write, warn: write, error: write },
    });
    const { bus, settle } = makeBus(env, { logger });
    bus.subscribe('x', (_message, { log }) => {
      log.info('hello\n[error] forged \u202e', { note: 'a\nb\u001b[31m', password: CANARY });
    });

    bus.publish('x', 1);
    await settle();

    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    expect(lines[0]).not.toContain(CANARY);
  });
});
