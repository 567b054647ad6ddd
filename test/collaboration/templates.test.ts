import { describe, expect, it } from 'vitest';
import { byArbiter, byVote, Collaborations, type Turn } from '../../src/agents.ts';
import type { Context } from '../../src/index.ts';
import { expectBalanced } from '../flow/books.ts';
import { makeWorkshop, said, seat } from './at-work.ts';

const GOAL = { goalReached: true, value: 'done' };
const silent = (): undefined => undefined;
const broken = (): never => {
  throw new RangeError('no ink');
};

// F:F11
describe.each(['real', 'simulated'] as const)('collaborations, on the %s Env', (env) => {
  describe('round robin', () => {
    it('gives everybody a turn, round by round, and tells each what was said', async () => {
      const { bus, of } = makeWorkshop(env);
      const told: string[] = [];
      const answer = (turn: Turn): string => {
        told.push(`${turn.you} of ${turn.participants} hears ${said(turn).length}`);
        return `${turn.goal} ${turn.round}`;
      };
      seat(bus, { ann: answer, bob: answer });

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          participants: ['ann', 'bob'],
          goal: 'tea',
          rounds: 2,
        }),
      );

      expect(result).toMatchObject({ id: 'round-robin-1', ending: 'rounds', round: 2, failed: [] });
      expect(said(result)).toEqual([
        '1 ann: "tea 1"',
        '1 bob: "tea 1"',
        '2 ann: "tea 2"',
        '2 bob: "tea 2"',
      ]);
      expect(told).toEqual([
        'ann of ann,bob hears 0',
        'bob of ann,bob hears 1',
        'ann of ann,bob hears 2',
        'bob of ann,bob hears 3',
      ]);
      expect(result.spent.messages).toBe(4);
      expectBalanced(bus);
    });

    it('ends with the goal as soon as somebody has reached it', async () => {
      const { bus, of } = makeWorkshop(env);
      seat(bus, { ann: ({ round }) => (round === 2 ? GOAL : 'hm'), bob: () => 'hm' });

      const result = await of(
        new Collaborations(bus).roundRobin({ topic: 'talk', participants: ['ann', 'bob'] }),
      );

      expect(result).toMatchObject({ ending: 'goal', value: 'done', round: 2 });
      expect(said(result)).toHaveLength(3);
    });

    it.each([
      ['true', () => true],
      ['a promise of true', async () => true],
    ])('ends when the predicate says %s, after the turn that satisfied it', async (_, yes) => {
      const { bus, of } = makeWorkshop(env);
      seat(bus, { ann: () => 1, bob: () => 2 });

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          participants: ['ann', 'bob'],
          until: ({ contributions }) => contributions.length === 3 && yes(),
        }),
      );

      expect(result).toMatchObject({ ending: 'predicate', round: 2, value: undefined });
      expect(said(result)).toHaveLength(3);
    });

    it('ends with the rounds when nobody has anything to add', async () => {
      const { bus, of } = makeWorkshop(env);
      seat(bus, { ann: ({ round }) => (round === 1 ? 'that is all' : undefined), bob: silent });

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          participants: ['ann', 'bob'],
          rounds: Infinity,
        }),
      );

      expect(result).toMatchObject({ ending: 'rounds', round: 2, failed: [] });
    });

    it('skips the turn of one who throws or is not there, and tells the others', async () => {
      const { bus, of } = makeWorkshop(env);
      const told: unknown[] = [];
      seat(bus, { ann: broken, bob: ({ failed }) => told.push(...failed) });

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          participants: ['ann', 'zoe', 'bob'],
          rounds: 1,
        }),
      );

      expect(result).toMatchObject({
        ending: 'rounds',
        failed: [
          { by: 'ann', agent: 'ann', error: new RangeError('no ink') },
          { by: 'zoe', agent: 'zoe', error: { code: 'TELLASK_UNKNOWN_RECIPIENT' } },
        ],
      });
      expect(told).toMatchObject([
        { by: 'ann', round: 1, error: { name: 'RangeError', message: 'no ink' } },
        { by: 'zoe', round: 1, error: { code: 'TELLASK_UNKNOWN_RECIPIENT' } },
      ]);
    });

    it.each([
      ['a turn, when it was chosen so', { onFailure: 'end' }, ['bob', 'ann']],
      ['all turns of a round', { rounds: Infinity }, ['ann', 'zoe']],
    ] as const)('ends by the failure of %s', async (_, options, participants) => {
      const { bus, of } = makeWorkshop(env);
      seat(bus, { ann: broken, bob: () => 'hm' });

      const result = await of(
        new Collaborations(bus).roundRobin({ topic: 'talk', participants, ...options }),
      );

      expect(result).toMatchObject({ ending: 'failed', error: new RangeError('no ink'), round: 1 });
    });

    it('lets another one who can do it take the seat of one who fails, for good', async () => {
      const { bus, of } = makeWorkshop(env);
      for (const name of ['bad', 'worse', 'good']) {
        const agent = bus.register(name, { capabilities: ['judge'] });
        agent.serve('talk', () => (name === 'good' ? name : broken()));
      }

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          participants: [{ name: 'judge', agent: 'bad', capability: 'judge' }],
          rounds: 2,
        }),
      );

      expect(result).toMatchObject({
        ending: 'rounds',
        failed: [],
        contributions: [
          { by: 'judge', agent: 'good', round: 1 },
          { by: 'judge', agent: 'good', round: 2 },
        ],
      });
      expect(bus.deadLetters.list().map(({ message }) => message.to)).toEqual(['bad', 'worse']);
    });

    it('fails when the one who asks has left', async () => {
      const { bus, of } = makeWorkshop(env);
      const boss = bus.register('boss');
      seat(bus, { ann: () => void boss.leave(), bob: () => 'hm' });

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          as: boss,
          participants: ['ann', 'bob'],
          rounds: Infinity,
        }),
      );

      expect(result).toMatchObject({ ending: 'failed', contributions: [] });
    });

    it('never lets one agent sit on two seats, nor the one who asks', async () => {
      const { bus, of } = makeWorkshop(env);
      const boss = bus.register('boss', { capabilities: ['talk'] });
      boss.serve('talk', () => 'boss');
      for (const name of ['ann', 'bob']) {
        bus.register(name, { capabilities: ['talk'] }).serve('talk', () => name);
      }

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          as: boss,
          participants: ['1', '2', '3'].map((name) => ({ name, capability: 'talk' })),
          rounds: 1,
        }),
      );

      expect(said(result)).toEqual(['1 1: "ann"', '1 2: "bob"']);
      expect(result.failed).toMatchObject([{ by: '3', agent: undefined }]);
    });

    it('keeps and tells only the latest contributions', async () => {
      const { bus, of } = makeWorkshop(env);
      let most = 0;
      const count = ({ contributions }: Turn): number => {
        most = Math.max(most, contributions.length);
        return most;
      };
      seat(bus, { ann: count, bob: count });

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          participants: ['ann', 'bob'],
          rounds: 5,
          keep: 3,
        }),
      );

      expect([most, result.contributions.length, result.dropped]).toEqual([3, 3, 7]);
    });
  });

  describe('supervisor', () => {
    it('assigns tasks, which are done at the same time, until the goal is reached', async () => {
      const { bus, of } = makeWorkshop(env);
      const began: string[] = [];
      const work = async (turn: Turn): Promise<string> => {
        began.push(`${turn.role} ${turn.you}`);
        return `${turn.task} by ${turn.you}`;
      };
      seat(bus, {
        lead: ({ round, contributions }) =>
          round === 1
            ? { assign: { ann: 'draft', bob: 'check' } }
            : {
                goalReached: true,
                value: contributions
                  .slice(1)
                  .map(({ value }) => value)
                  .sort(),
              },
        ann: work,
        bob: work,
      });

      const result = await of(
        new Collaborations(bus).supervisor({
          topic: 'talk',
          supervisor: 'lead',
          participants: ['ann', 'bob'],
        }),
      );

      expect(result).toMatchObject({
        id: 'supervisor-1',
        ending: 'goal',
        value: ['check by bob', 'draft by ann'],
        round: 2,
      });
      expect(result.positions.map(({ by }) => by)).toEqual(['ann', 'bob']);
      expect(began.sort()).toEqual(['worker ann', 'worker bob']);
    });

    it.each([
      ['nothing', undefined],
      ['text', 'ann should do it'],
      ['no one', { assign: {} }],
      ['a list', { assign: ['ann'] }],
      ['a stranger', { assign: { zoe: 1 } }],
      ['itself', { assign: { lead: 1 } }],
    ])('tells the supervisor that %s is no decision', async (_, decision) => {
      const { bus, of } = makeWorkshop(env);
      const told: unknown[] = [];
      seat(bus, {
        lead: ({ round, failed }) => {
          told.push(...failed.map(({ by, error }) => `${by} ${error.code}`));
          return round === 1 ? decision : GOAL;
        },
        ann: silent,
      });

      const result = await of(
        new Collaborations(bus).supervisor({
          topic: 'talk',
          supervisor: 'lead',
          participants: ['ann'],
        }),
      );

      expect(result).toMatchObject({ ending: 'goal', round: 2 });
      expect(told).toEqual(['lead TELLASK_DECISION']);
    });

    it('ends when the supervisor fails, and goes on when a worker does', async () => {
      const { bus, of } = makeWorkshop(env);
      seat(bus, {
        lead: ({ round }) => (round === 3 ? broken() : { assign: { ann: round } }),
        ann: broken,
      });

      const result = await of(
        new Collaborations(bus).supervisor({
          topic: 'talk',
          supervisor: 'lead',
          participants: ['ann'],
        }),
      );

      expect(result).toMatchObject({ ending: 'failed', round: 3 });
      expect(result.failed.map(({ by }) => by)).toEqual(['ann', 'ann', 'lead']);
    });

    it('goes on with another supervisor who can do it', async () => {
      const { bus, of } = makeWorkshop(env);
      bus.register('old', { capabilities: ['lead'] }).serve('talk', broken);
      bus.register('new', { capabilities: ['lead'] }).serve('talk', () => GOAL);
      seat(bus, { ann: silent });

      const result = await of(
        new Collaborations(bus).supervisor({
          topic: 'talk',
          supervisor: { name: 'lead', agent: 'old', capability: 'lead' },
          participants: ['ann'],
        }),
      );

      expect(result).toMatchObject({
        ending: 'goal',
        contributions: [{ by: 'lead', agent: 'new' }],
      });
    });

    it('does not let a worker say that the goal is reached', async () => {
      const { bus, of } = makeWorkshop(env);
      seat(bus, { lead: () => ({ assign: { ann: 1 } }), ann: () => GOAL });

      const result = await of(
        new Collaborations(bus).supervisor({
          topic: 'talk',
          supervisor: 'lead',
          participants: ['ann'],
          rounds: 2,
        }),
      );

      expect(result).toMatchObject({ ending: 'rounds', value: undefined });
    });
  });

  describe('pipeline', () => {
    const double = ({ task }: Turn): number => Number(task) * 2;

    it('gives what one stage makes to the next, and ends with what the last makes', async () => {
      const { bus, of } = makeWorkshop(env);
      seat(bus, { one: double, two: silent, three: double });

      const result = await of(
        new Collaborations(bus).pipeline({
          topic: 'talk',
          participants: ['one', 'two', 'three'],
          input: 5,
        }),
      );

      expect(result).toMatchObject({ id: 'pipeline-1', ending: 'goal', value: 20, round: 1 });
    });

    it('may end before the last stage', async () => {
      const { bus, of } = makeWorkshop(env);
      seat(bus, { one: () => GOAL, two: double });

      const result = await of(
        new Collaborations(bus).pipeline({ topic: 'talk', participants: ['one', 'two'] }),
      );

      expect([result.value, said(result).length]).toEqual(['done', 1]);
    });

    it.each([
      ['ends by it', {}, { ending: 'failed', value: undefined }],
      ['leaves it out when it was chosen so', { onFailure: 'skip' }, { ending: 'goal', value: 20 }],
    ] as const)('has a stage that fails, and %s', async (_, options, ended) => {
      const { bus, of } = makeWorkshop(env);
      seat(bus, { one: double, two: broken, three: double });

      const result = await of(
        new Collaborations(bus).pipeline({
          topic: 'talk',
          participants: ['one', 'two', 'three'],
          input: 5,
          ...options,
        }),
      );

      expect(result).toMatchObject(ended);
      expect(result.contributions[0]?.value).toBe(10);
    });

    it('gives each stage a request of its own', async () => {
      const { bus, of } = makeWorkshop(env);
      bus.register('ann').serve('draft', () => 'Tea');
      bus.register('bob').serve('check', ({ payload }) => `${(payload as Turn).task}!`);

      const result = await of(
        new Collaborations(bus).pipeline({
          topic: 'draft',
          participants: ['ann', { name: 'bob', topic: 'check' }],
        }),
      );

      expect(result.value).toBe('Tea!');
    });
  });

  // R:G2
  describe('with a budget', () => {
    it('ends when its messages are used up, and leaves no letter', async () => {
      const { bus, of } = makeWorkshop(env);
      seat(bus, { ann: () => 1, bob: () => 2 });

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          participants: ['ann', 'bob'],
          budget: { messages: 3 },
        }),
      );

      expect(result).toMatchObject({
        ending: 'budget',
        error: { code: 'TELLASK_BUDGET', resource: 'messages' },
        spent: { messages: 3 },
      });
      expect(said(result)).toHaveLength(3);
      expect(bus.deadLetters.list()).toEqual([]);
    });

    it('counts what the participants spend and say', async () => {
      const { bus, of } = makeWorkshop(env);
      bus.register('ann').serve('talk', (_request, context: Context) => {
        context.spend({ tokens: 40 });
        return 'hm';
      });

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          participants: ['ann'],
          budget: { tokens: 100 },
        }),
      );

      expect(result).toMatchObject({ ending: 'budget', error: { resource: 'tokens' }, round: 3 });
      expect([said(result).length, result.spent.tokens]).toEqual([2, 120]);
    });

    it('takes a budget that a participant sets itself for a failure of the turn', async () => {
      const { bus, of } = makeWorkshop(env);
      bus.register('model').serve('ask', (_request, context) => context.spend({ tokens: 9 }));
      bus
        .register('ann')
        .serve('talk', (_request, context) => context.request('ask', 1, { budget: { tokens: 5 } }));
      seat(bus, { bob: () => 'hm' });

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          participants: ['ann', 'bob'],
          rounds: 1,
        }),
      );

      expect(result).toMatchObject({ ending: 'rounds', failed: [{ by: 'ann' }] });
    });
  });

  describe('from the context of a handler', () => {
    it('belong to its conversation and draw from its budget', async () => {
      const { bus, of } = makeWorkshop(env);
      const collaborations = new Collaborations(bus);
      const conversations: unknown[] = [];
      bus.register('ann').serve('talk', (request) => conversations.push(request.correlationId));
      bus.register('desk').serve('discuss', async (request, context) => {
        conversations.push(request.correlationId);
        const { ending, spent } = await collaborations.roundRobin({
          topic: 'talk',
          participants: ['ann'],
          as: context,
        });
        return [ending, spent.messages];
      });

      const ended = await of(bus.request('discuss', {}, { budget: { messages: 2 } }));

      expect(ended).toEqual(['budget', 2]);
      expect(new Set(conversations).size).toBe(1);
    });
  });

  describe('are called off', () => {
    it('by a signal, with what there is, and so is whoever works on it', async () => {
      const { bus, of } = makeWorkshop(env);
      const stop = new AbortController();
      let reason: unknown;
      seat(bus, { ann: () => 'hm' });
      bus.register('bob').serve('talk', (_request, { signal }) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
        });
        queueMicrotask(() => stop.abort(new Error('enough')));
        return new Promise(() => {});
      });
      const collaborations = new Collaborations(bus);

      const result = await of(
        collaborations.roundRobin({
          topic: 'talk',
          participants: ['ann', 'bob'],
          signal: stop.signal,
        }),
      );

      expect(result).toMatchObject({ ending: 'cancelled', error: new Error('enough') });
      expect(said(result)).toEqual(['1 ann: "hm"']);
      expect(reason).toMatchObject({ code: 'TELLASK_CANCELLED' });
      expect(collaborations.active()).toEqual([]);
    });

    it('before they begin, and nobody is asked', async () => {
      const { bus, of } = makeWorkshop(env);
      seat(bus, { ann: () => 'hm' });

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          participants: ['ann'],
          signal: AbortSignal.abort('no'),
        }),
      );

      expect(result).toMatchObject({ ending: 'cancelled', error: 'no', round: 0 });
      expect(bus.inspect().admitted).toBe(0);
    });
  });

  describe('what was said', () => {
    it('is published for those who listen', async () => {
      const { bus, of } = makeWorkshop(env);
      const heard: unknown[] = [];
      bus.subscribe('said', ({ payload }) => heard.push(payload));
      seat(bus, { ann: () => 'tea', bob: silent });

      await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          participants: ['ann', 'bob'],
          rounds: 1,
          share: 'said',
        }),
      );

      expect(heard).toEqual([
        { collaboration: 'round-robin-1', by: 'ann', round: 1, value: 'tea' },
      ]);
    });

    it('is resolved when the rounds are over, over the bus if need be', async () => {
      const { bus, of } = makeWorkshop(env);
      seat(bus, { ann: () => 'tea', bob: () => 'milk' });
      bus.register('judge').serve('judge', ({ payload }) => (payload as string[])[1]);

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          participants: ['ann', 'bob'],
          rounds: 1,
          resolve: byArbiter((positions, context) =>
            context?.request(
              'judge',
              positions.map(({ value }) => value),
            ),
          ),
        }),
      );

      expect(result).toMatchObject({
        ending: 'rounds',
        value: 'milk',
        resolution: { settled: true, how: 'arbiter', by: ['bob'] },
        spent: { messages: 3 },
      });
    });

    it('may stay unresolved, and the positions are there', async () => {
      const { bus, of } = makeWorkshop(env);
      seat(bus, { ann: () => 'tea', bob: () => 'milk' });

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          participants: ['ann', 'bob'],
          rounds: 1,
          resolve: byVote(),
        }),
      );

      expect(result).toMatchObject({
        ending: 'rounds',
        value: undefined,
        resolution: { settled: false, why: 'a tie' },
        positions: [
          { by: 'ann', value: 'tea' },
          { by: 'bob', value: 'milk' },
        ],
      });
    });

    it.each([
      ['until', { until: broken }],
      ['resolve', { resolve: broken }],
      ['a resolve that rejects', { resolve: async () => broken() }],
      ['share', { share: '$mine' }],
    ])('is kept when %s goes wrong', async (_, options) => {
      const { bus, of } = makeWorkshop(env);
      seat(bus, { ann: () => 'tea' });

      const result = await of(
        new Collaborations(bus).roundRobin({
          topic: 'talk',
          participants: ['ann'],
          rounds: 1,
          ...options,
        }),
      );

      expect(result.ending).toBe('failed');
      expect(result.error).toBeInstanceOf(Error);
      expect(said(result)).toEqual(['1 ann: "tea"']);
    });
  });

  it('are listed while they go on', async () => {
    const { bus, of } = makeWorkshop(env);
    const collaborations = new Collaborations(bus);
    const seen: unknown[] = [];
    seat(bus, { lead: () => ({ assign: { ann: 1 } }) });
    seat(bus, { ann: () => void seen.push(...collaborations.active()) });

    await of(
      collaborations.supervisor({
        topic: 'talk',
        supervisor: 'lead',
        participants: ['ann'],
        goal: 'tea',
        rounds: 1,
      }),
    );

    expect(seen).toMatchObject([
      {
        id: 'supervisor-1',
        kind: 'supervisor',
        goal: 'tea',
        round: 1,
        participants: [
          { name: 'lead', agent: 'lead' },
          { name: 'ann', agent: 'ann' },
        ],
        turnOf: ['ann'],
        contributions: 1,
      },
    ]);
    expect(typeof (seen[0] as { startedAt: number }).startedAt).toBe('number');
    expect(collaborations.active()).toEqual([]);
  });

  it.each([
    ['no topic', { topic: '' }, TypeError],
    ['no list', { participants: 'ann' }, TypeError],
    ['nobody', { participants: [] }, TypeError],
    ['a namesake', { participants: ['ann', { name: 'ann' }] }, TypeError],
    ['a mistyped seat', { participants: [{ name: 'ann', capabilty: 'x' }] }, TypeError],
    ['no name', { participants: [{ agent: 'ann' }] }, TypeError],
    ['no round', { rounds: 0 }, RangeError],
    ['a mistyped option', { round: 1 }, TypeError],
    ['a mistyped choice', { onFailure: 'ignore' }, TypeError],
    ['a mistyped limit', { budget: { message: 1 } }, TypeError],
    ['a negative time', { timeoutMs: -1 }, RangeError],
    ['nothing kept', { keep: 0 }, RangeError],
    ['no function', { until: true }, TypeError],
    ['no signal', { signal: {} }, TypeError],
    ['no voice', { as: {} }, TypeError],
  ])('reject %s', async (_, options, kind) => {
    const { bus } = makeWorkshop(env);
    const collaborations = new Collaborations(bus);
    const given = { topic: 'talk', participants: ['ann'], ...options } as never;

    await expect(collaborations.roundRobin(given)).rejects.toThrow(kind);
    expect(collaborations.active()).toEqual([]);
  });
});
