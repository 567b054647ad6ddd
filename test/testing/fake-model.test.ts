import { describe, expect, it } from 'vitest';
import { createTestBus, type FakeModelOptions, fakeModel } from '../../src/testing.ts';

function setUp(options: FakeModelOptions, concurrency = 8) {
  const t = createTestBus();
  const agent = t.bus.register('model', { concurrency });
  const model = fakeModel(agent, options);
  const ask = (prompt: unknown, given = {}) =>
    t.bus.request('model.complete', prompt, given).catch((error: Error) => error);
  return { t, agent, model, ask };
}

// F:M
describe('a fake model', () => {
  it('says one reply after the other, and is at a loss after the last', async () => {
    const { t, ask, model } = setUp({ replies: ['one', { tool: 'search' }, ''] }, 1);

    const answers = Promise.all(['a', 'b', 'c', 'd'].map((prompt) => ask(prompt)));
    await t.run();

    expect(await answers).toEqual([
      'one',
      { tool: 'search' },
      '',
      new Error('The fake model was told no reply to call 4'),
    ]);
    expect(model.calls.map(({ outcome }) => outcome)).toEqual([
      'replied',
      'replied',
      'replied',
      'failed',
    ]);
  });

  it.each([
    ['refund my order', 'by text'],
    ['hello', 'by pattern'],
    [{ messages: ['hello'] }, 'by pattern'],
    [{ n: 7 }, 'by test'],
    ['anything', 'by default'],
  ])('says to %j what the first rule that fits tells it', async (prompt, reply) => {
    const { t, ask } = setUp({
      rules: [
        { when: 'refund', reply: 'by text' },
        { when: /hel+o/g, reply: 'by pattern' },
        { when: (asked) => (asked as { n?: number }).n === 7, reply: 'by test' },
      ],
      replies: ['by default', 'by default'],
    });

    const answers = Promise.all([ask(prompt), ask(prompt)]);
    await t.run();

    expect(await answers).toEqual([reply, reply]);
  });

  // A word of n characters is so many tokens, at two tokens a second.
  it('streams word by word, with the latency and the speed that it is given', async () => {
    const { t } = setUp({ replies: ['Tea is  ready'], latencyMs: 250, tokensPerSecond: 2 });
    const heard: unknown[] = [];

    const read = (async () => {
      const stream = t.bus.stream('model.complete', 'tea?');
      for await (const word of stream) heard.push([word, t.clock.nowMs]);
      return stream.result;
    })();
    await t.run();

    expect(await read).toBe('Tea is  ready');
    expect(heard).toEqual([
      ['Tea', 750],
      [' is', 1_250],
      ['  ready', 2_250],
    ]);
  });

  it('keeps blanks at the end, and loses no character', async () => {
    const { t } = setUp({ replies: [' a\n b  ', '  '] });
    const read = async () => {
      const words: unknown[] = [];
      for await (const word of t.bus.stream('model.complete', '')) words.push(word);
      return words.join('');
    };

    const first = read();
    await t.run();
    const second = read();
    await t.run();

    expect([await first, await second]).toEqual([' a\n b  ', '  ']);
  });

  it('draws the latency from its seed', async () => {
    const times = async (seed: number): Promise<number[]> => {
      const { t, ask } = setUp({ rules: [{ reply: 'x' }], latencyMs: [100, 200], seed });
      const ended = [1, 2].map(() => ask('').then(() => t.clock.nowMs));
      await t.run();
      return Promise.all(ended);
    };

    const [first, again, other] = [await times(1), await times(1), await times(2)];

    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    for (const ms of [...first, ...other]) expect(ms >= 100 && ms < 200).toBe(true);
  });

  it('draws the latency from the seed of the test bus when it has none of its own', async () => {
    const took = async (seed: number, options: Partial<FakeModelOptions> = {}): Promise<number> => {
      const t = createTestBus({ seed });
      fakeModel(t.bus.register('model'), { replies: ['x'], latencyMs: [100, 200], ...options });
      const ended = t.bus.request('model.complete', '').then(() => t.clock.nowMs);
      await t.run();
      return ended;
    };

    expect(await took(1)).toBe(await took(1));
    expect(await took(2)).not.toBe(await took(1));
    expect(await took(2, { seed: 7 })).toBe(await took(1, { seed: 7 }));
  });

  // R:G2
  it('draws what it reads and says from the budget, and stops where it ends', async () => {
    const { t, ask, model } = setUp({
      rules: [{ reply: 'four four four four' }],
      tokensPerSecond: 1,
      costPerToken: 0.5,
    });
    t.bus.register('writer').serve('write', async (_, context) => {
      await context.request('model.complete', '12345678');
      return context.budget.spent;
    });

    const enough = t.bus.request('write', {}, { budget: { tokens: 100 } });
    const short = ask('12345678', { budget: { tokens: 5 } });
    await t.run();

    expect(await enough).toMatchObject({ tokens: 2 + 1 + 2 + 2 + 2, cost: 4.5 });
    expect(await short).toMatchObject({ code: 'TELLASK_BUDGET' });
    expect(model.calls.map(({ outcome, outputTokens }) => [outcome, outputTokens])).toEqual([
      ['failed', 5],
      ['replied', 7],
    ]);
  });

  it('fails when it is told to: a rule before or after a text, or the next calls', async () => {
    const { t, ask, model } = setUp(
      {
        rules: [
          { when: 'a', fail: new Error('overloaded') },
          { when: 'b', reply: 'half of', fail: new Error('cut off') },
          { reply: 'well' },
        ],
      },
      1,
    );
    const words: unknown[] = [];
    model.failNext(new Error('down'), 2);

    const answers = Promise.all(['c', 'c', 'c', 'a'].map((prompt) => ask(prompt)));
    await t.run();
    const cut = (async () => {
      for await (const word of t.bus.stream('model.complete', 'b')) words.push(word);
    })().catch((error: Error) => error.message);
    await t.run();

    const messages = (await answers).map((one) => (one instanceof Error ? one.message : one));
    expect(messages).toEqual(['down', 'down', 'well', 'overloaded']);
    expect([words, await cut]).toEqual([['half', ' of'], 'cut off']);
  });

  it('is slow when it is told to', async () => {
    const { t, ask, model } = setUp({
      rules: [{ when: 'own', reply: 'x', latencyMs: 7 }, { reply: 'y' }],
    });
    model.slowNext(40_000);
    const ended = ['a', 'a', 'own'].map((prompt) =>
      ask(prompt).then((answer) => [answer, t.clock.nowMs]),
    );
    await t.run();

    expect(await Promise.all(ended)).toEqual([
      [expect.objectContaining({ code: 'TELLASK_TIMEOUT' }), 30_000],
      ['y', 0],
      ['x', 7],
    ]);
    expect(model.calls.map(({ outcome }) => outcome)).toEqual(['cancelled', 'replied', 'replied']);
  });

  it('stops when nobody listens any more', async () => {
    const { t, model } = setUp({ replies: ['one two three four'], tokensPerSecond: 1 });
    const read = (async () => {
      for await (const word of t.bus.stream('model.complete', '')) return word;
      return undefined;
    })();
    await t.run();

    expect(await read).toBe('one');
    expect(model.calls).toMatchObject([{ outcome: 'cancelled', outputTokens: 1 }]);
    expect(t.clock.nowMs).toBeLessThan(5_000);
  });

  it('serves the topic that it is given, at once when nothing is said of time', async () => {
    const t = createTestBus();
    fakeModel(t.bus.register('model'), { topic: 'llm.chat', replies: ['hi'] });
    const asked = t.bus.request('llm.chat', {});
    await t.settle();

    expect([await asked, t.clock.nowMs]).toEqual(['hi', 0]);
  });

  it.each<readonly [string, FakeModelOptions]>([
    ['rules or replies must be given', {}],
    ['latencyMs must be 0 or more', { replies: [1], latencyMs: -1 }],
    ['latencyMs must be 5 or more', { replies: [1], latencyMs: [5, 4] }],
    ['tokensPerSecond must be more than 0', { replies: [1], tokensPerSecond: 0 }],
    ['costPerToken must be a number', { replies: [1], costPerToken: '1' as never }],
    ['fakeModel has no option latency', { replies: [1], latency: 1 } as never],
  ])('is refused at once: %s', (text, options) => {
    expect(() => setUp(options)).toThrow(text);
  });
});
