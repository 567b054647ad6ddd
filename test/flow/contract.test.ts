import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineContract, topic } from '../../src/index.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, outcomeOf } from './books.ts';

const contract = defineContract({
  topics: {
    'report.{id}.drafted': z.object({ text: z.string().default('empty') }),
    'report.final.drafted': z.object({ text: z.string() }),
  },
  requests: { 'search.web': { input: z.object({ q: z.string() }), output: z.array(z.number()) } },
});

// F:A4 F:A5 F:A6 F:A7 F:A8: the types are proved in test/types.
describe.each(['real', 'simulated'] as const)('a contract at run time, on the %s Env', (env) => {
  it('checks what is said and hands on what the schema gives back', async () => {
    const { bus, settle } = makeBus(env, { contract });
    const log: unknown[] = [];
    bus.subscribe('report.{id}.drafted', ({ family, params, payload }) => {
      log.push([family, params, payload]);
    });

    bus.publish(topic('report.{id}.drafted', { id: 'src/a.md' }), {});
    await settle();

    expect(log).toEqual([['report.{id}.drafted', { id: 'src/a.md' }, { text: 'empty' }]]);
  });

  it('tells an exact key from the template that it would fit too', async () => {
    const { bus, settle } = makeBus(env, { contract });
    const log: string[] = [];
    bus.subscribe('report.*.drafted', ({ family }) => void log.push(family));

    bus.publish('report.final.drafted', { text: 'x' });
    bus.publish('report.7.drafted', { text: 'x' });
    await settle();

    expect(log).toEqual(['report.final.drafted', 'report.{id}.drafted']);
  });

  it('refuses what does not fit, says where, and keeps a letter', () => {
    const { bus } = makeBus(env, { contract });
    const wrong = { text: 7 } as never;

    expect(() => bus.publish('report.7.drafted', wrong)).toThrow(/\/text/);

    expect(codeOf(() => bus.publish('report.7.drafted', wrong))).toBe('TELLASK_VALIDATION');
    expect(bus.inspect()).toMatchObject({ refused: 2, admitted: 0 });
    expect(bus.deadLetters.list()[0]).toMatchObject({ reason: 'validation', refused: true });
  });

  it('refuses a topic that it does not name, with a suggestion, unless it is open', async () => {
    const { bus, settle } = makeBus(env, { contract });
    const open = makeBus(env, { contract, open: true });
    const typo = 'report.7.draftet' as never;

    expect(() => bus.publish(typo, {} as never)).toThrow(/did you mean report\.\{id\}\.drafted/);
    const asked = outcomeOf(bus.request('search.wep' as never, {} as never));
    await settle();

    expect(asked.now()).toMatchObject({
      error: { code: 'TELLASK_UNKNOWN_TOPIC', didYouMean: 'search.web' },
    });
    expect(open.bus.publish(typo, {} as never).id).toBeDefined();
    expect(bus.explain('report.7.draftet').didYouMean).toBe('report.{id}.drafted');
  });

  it('checks the input and the output of a request', async () => {
    const { bus, settle } = makeBus(env, { contract });
    let answer: unknown = [1, 2];
    bus.register('a').serve('search.web', () => answer as number[]);

    const good = outcomeOf(bus.request('search.web', { q: 'x' }));
    await settle();
    answer = ['no number'];
    const badOutput = outcomeOf(bus.request('search.web', { q: 'x' }));
    const badInput = outcomeOf(bus.request('search.web', {} as never));
    await settle();

    expect(good.now()).toEqual({ value: [1, 2] });
    expect(badOutput.now()).toMatchObject({
      error: { code: 'TELLASK_VALIDATION', what: 'output' },
    });
    expect(badInput.now()).toMatchObject({ error: { code: 'TELLASK_VALIDATION' } });
  });

  it('does not check again what was checked once: a redriven message', async () => {
    let checks = 0;
    const counting = defineContract({
      topics: { x: z.string().transform((text) => `${text} ${++checks}`) },
    });
    const { bus, settle } = makeBus(env, { contract: counting });
    const heard: string[] = [];
    let broken = true;
    bus.subscribe('x', ({ payload }) => {
      if (broken) throw new Error('no');
      heard.push(payload);
    });
    bus.publish('x', 'checked');
    await settle();
    broken = false;

    await bus.deadLetters.redrive();
    await settle();

    expect(heard).toEqual(['checked 1']);
  });
});
