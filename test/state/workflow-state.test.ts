import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTellaskError, StateManager, StateStageError, workflows } from '../../src/index.ts';

type Stage = 'research' | 'draft' | 'review';
const STAGES: readonly Stage[] = ['research', 'draft', 'review'];

function report() {
  const state = new StateManager();
  const flow = workflows<Stage>(state.as('writer'));
  flow.createWorkflow('7', STAGES);
  const pass = (stage: Stage, qualityScore = 1) => {
    flow.startStage('7', stage);
    return flow.completeStage('7', stage, { output: `${stage} done`, qualityScore });
  };
  return { state, flow, pass };
}

describe('the workflows of a state', () => {
  // R:K9 F:F10
  it('say which stages are done, which is being done, and which are to be done', () => {
    const { flow, pass } = report();
    pass('research', 0.8);

    const { value, actor } = flow.startStage('7', 'draft');

    expect(value).toMatchObject({
      active: 'draft',
      completed: ['research'],
      pending: ['review'],
      iterations: { research: 1, draft: 1, review: 0 },
      qualityScores: { research: 0.8 },
    });
    expect(actor).toBe('writer');
    expect(flow.getWorkflow('7')?.value.runs.research).toEqual([
      { iteration: 1, output: 'research done', qualityScore: 0.8 },
    ]);
    expect(flow.history('7').map(({ value: was }) => was?.active)).toEqual([
      null,
      'research',
      null,
      'draft',
    ]);
  });

  // F:F10
  it('iterate when a stage is entered again: it and what follows are to be done again', () => {
    const { flow, pass } = report();
    for (const stage of STAGES) pass(stage, 0.5);

    expect(flow.startStage('7', 'draft').value).toMatchObject({
      active: 'draft',
      completed: ['research'],
      pending: ['review'],
      iterations: { research: 1, draft: 2, review: 1 },
    });
    const { value } = flow.completeStage('7', 'draft', { qualityScore: 0.9 });

    expect(
      value.runs.draft.map(({ iteration, qualityScore }) => [iteration, qualityScore]),
    ).toEqual([
      [1, 0.5],
      [2, 0.9],
    ]);
    expect(value.qualityScores).toEqual({ research: 0.5, draft: 0.9, review: 0.5 });
    expect(pass('review').value.completed).toEqual(STAGES);
  });

  it.each([
    ['unknown', () => report().flow.startStage('7', 'print' as Stage), /has no such stage/],
    [
      'unknown',
      () => report().flow.completeStage('7', 'print' as Stage, { qualityScore: 1 }),
      /'7'/,
    ],
    ['order', () => report().flow.startStage('7', 'review'), /'research' is to be done before/],
    [
      'not-started',
      () => report().flow.completeStage('7', 'research', { qualityScore: 1 }),
      /it was not started/,
    ],
    [
      'not-started',
      () => {
        const { flow, pass } = report();
        pass('research');
        flow.startStage('7', 'draft');
        flow.completeStage('7', 'research', { qualityScore: 1 });
      },
      /'draft' is being done/,
    ],
    [
      'busy',
      () => {
        const { flow } = report();
        flow.startStage('7', 'research');
        flow.startStage('7', 'research');
      },
      /'research' is being done/,
    ],
  ] as const)('refuse a stage that is %s', (why, call, message) => {
    expect(call).toThrow(expect.objectContaining({ code: 'TELLASK_STATE_STAGE', why }));
    expect(call).toThrow(message);
  });

  it.each([-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY])(
    'refuse a score of %d',
    (qualityScore) => {
      const { flow } = report();
      flow.startStage('7', 'research');

      expect(() => flow.completeStage('7', 'research', { qualityScore })).toThrow(RangeError);
      expect(flow.getWorkflow('7')?.value.active).toBe('research');
    },
  );

  it.each([[[]], [['a', 'a']], [['a', '']], [['__proto__']], ['research'], [[1]]])(
    'refuse %j as stages',
    (stages) => {
      const make = () => workflows(new StateManager()).createWorkflow('7', stages as never);

      expect(make).toThrow(TypeError);
    },
  );

  it('refuse results that are none', () => {
    const { flow } = report();

    const wrong = [null, {}, { qualityScore: '1' }, { qualityScore: 1, outptu: 2 }];

    for (const result of wrong) {
      expect(() => flow.completeStage('7', 'research', result as never)).toThrow(TypeError);
    }
    expect(() => flow.startStage('8', 'research')).toThrow(
      expect.objectContaining({ code: 'TELLASK_STATE_NOT_FOUND' }),
    );
    expect(() => workflows(new StateManager()).getWorkflow('')).toThrow(TypeError);
  });

  it('hold together whatever is tried: a refusal changes nothing', () => {
    const step = fc.record({ complete: fc.boolean(), stage: fc.constantFrom(...STAGES) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { state, flow } = report();
        for (const { complete, stage } of steps) {
          const before = state.get('workflow.7');
          try {
            if (complete) flow.completeStage('7', stage, { qualityScore: 0.5 });
            else flow.startStage('7', stage);
          } catch (error) {
            expect(isTellaskError(error, 'TELLASK_STATE_STAGE')).toBe(true);
            expect(error).toBeInstanceOf(StateStageError);
            expect(state.get('workflow.7')).toBe(before);
          }
          const { active, completed, pending } = flow.getWorkflow('7')?.value ?? {};
          const all = [
            ...(completed ?? []),
            ...(active === null ? [] : [active]),
            ...(pending ?? []),
          ];
          expect(all).toEqual(STAGES);
        }
      }),
    );
  });
});
