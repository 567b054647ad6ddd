import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Agent, defineContract, type RequestTimeoutError } from '../../src/index.ts';
import { createTestBus, type TestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { hang, outcomeOf } from './books.ts';

function onDraft(): Promise<never> {
  return hang();
}

/** A bus with a writer who drafts and answers, and a request to it that runs out of time. */
async function timeOut(
  prepare: (writer: Agent, t: TestBus) => void,
  options: object = {},
): Promise<RequestTimeoutError> {
  const t = createTestBus();
  const writer = t.bus.register('writer', options);
  writer.subscribe('report.*', onDraft);
  prepare(writer, t);
  await t.settle();
  const asked = outcomeOf(t.bus.request('draft', 1, { timeoutMs: 12_345 }));
  await t.clock.advance(12_345);
  return (asked.now() as { error: RequestTimeoutError }).error;
}

const answer = (writer: Agent): unknown => writer.serve('draft', () => 1);
const work = (t: TestBus, n: number): void => {
  for (; n > 0; n--) t.bus.send('writer', 'report.drafted', n);
};

// R:C4
describe('a time-out says where the request is', () => {
  it.each<[string, Parameters<typeof timeOut>, string, object]>([
    [
      'behind others of a paused agent',
      [
        (writer, t) => {
          answer(writer);
          writer.pause();
          work(t, 4);
        },
      ],
      'queued behind 4 (writer is paused)',
      { behind: 4, agentStatus: 'paused', runningForMs: undefined },
    ],
    [
      'next in line of a paused agent',
      [
        (writer) => {
          answer(writer);
          writer.pause();
        },
      ],
      'next in line (writer is paused)',
      { behind: 0, agentStatus: 'paused' },
    ],
    [
      'behind others and what runs',
      [
        (writer, t) => {
          answer(writer);
          work(t, 3);
        },
      ],
      'queued behind 2; writer has been running onDraft (report.drafted) for 12.3 s',
      { behind: 2, agentStatus: 'busy', runningForMs: 12_345 },
    ],
    [
      'running, by the name of the handler, through all that is around it',
      [
        (writer) => {
          writer.serve('draft', onDraft, { idempotent: { windowMs: 1_000 }, retry: {} });
        },
      ],
      'running for 12.3 s in onDraft',
      { behind: undefined, agentStatus: 'busy', runningForMs: 12_345 },
    ],
    [
      'running, without a name',
      [(writer) => void writer.serve('draft', () => hang())],
      'running for 12.3 s',
      { agentStatus: 'busy' },
    ],
    [
      'waiting for a place',
      [
        (writer, t) => {
          answer(writer);
          writer.pause();
          work(t, 1);
        },
        { capacity: 1, overflow: 'wait' },
      ],
      'waiting for a place in the full mailbox of writer (writer is paused)',
      { agentStatus: 'paused' },
    ],
    [
      'put off',
      [(writer) => void writer.serve('draft', (_request, context) => context.defer())],
      'deferred by writer 12.3 s ago',
      {},
    ],
    [
      'behind a key',
      [
        (writer, t) => {
          writer.serve('draft', onDraft, { key: () => 'one' });
          t.bus.request('draft', 0, { timeoutMs: 60_000 }).catch(() => {});
        },
        { concurrency: 2 },
      ],
      'held by its key or its rate limit; writer has been running onDraft (draft) for 12.3 s',
      {},
    ],
    [
      'in a batch',
      [
        (writer) =>
          void writer.serveBatch('draft', (all) => all.map(() => 1), {
            batch: { max: 10, waitMs: 60_000 },
          }),
      ],
      'waits in a batch',
      { agentStatus: 'idle' },
    ],
  ])('%s', async (_what, call, where, facts) => {
    const error = await timeOut(...call);

    expect(error).toMatchObject({ code: 'TELLASK_TIMEOUT', where, ...facts });
    expect(error.message).toBe(`writer did not answer draft within 12345 ms: ${where}`);
  });
});

describe.each(['real', 'simulated'] as const)('who is not there, on the %s Env', (env) => {
  const searching = defineContract({
    requests: {
      'search.web': { input: z.any(), output: z.any() },
      'search.wet': { input: z.any(), output: z.any() },
    },
  });

  // R:C4
  it.each([
    ['without a contract', {}, 'search.wep'],
    ['with one', { contract: searching }, 'search.wet'],
  ])('says what may have been meant %s', async (_what, options, topic) => {
    const { bus, settle } = makeBus(env, options as object);
    const agent = bus.register('searcher');
    agent.serve('search.web', () => 1);
    const gone = agent.serve('search.wen', () => 1, {});
    gone.unsubscribe();

    const asked = outcomeOf(bus.request(topic, 1));
    await settle();

    expect(asked.now()).toMatchObject({
      error: {
        code: 'TELLASK_NO_RESPONDER',
        message: `Nobody serves ${topic} (did you mean search.web?)`,
        didYouMean: 'search.web',
      },
    });
  });

  it('does not mean what was said', async () => {
    const { bus, settle } = makeBus(env, { contract: searching } as object);

    const asked = outcomeOf(bus.request('search.web', 1));
    await settle();

    expect(asked.now()).toMatchObject({ error: { message: 'Nobody serves search.web' } });
  });
});
