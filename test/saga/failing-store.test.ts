import { describe, expect, it } from 'vitest';
import { MemoryStore, type SagaEvent, saga } from '../../src/index.ts';
import { checkEnded } from '../../src/testing/crash-faults.ts';
import { type Ended, finish, NOTHING } from '../../src/testing/crash-life.ts';
import { faultyStore, type StoreFault } from '../../src/testing.ts';
import { emptyWorld, type Outcome, Process, wordOf } from './process.ts';
import { type SagaShape, SHAPES } from './shapes.ts';

const FAULTS = [
  ['before', 'fail'],
  ['after', 'fail'],
  ['before', 'hang'],
  ['after', 'hang'],
] as const;

const shapes = SHAPES.filter(({ mayEnd }) => mayEnd === undefined);

/** Runs a shape without a fault. */
function calmly({ make, cancelWhen = () => false }: SagaShape): Promise<Ended> {
  const makeLife: Parameters<typeof finish>[0]['makeLife'] = (world) => ({
    saga: make({ saga }, world) as never,
  });
  return finish({ makeLife, input: 'Rome' as never, cancelWhen, mayEnd: [] }, NOTHING);
}

/** Runs a shape on a store with one fault, and then, in the same process, until it is over. */
async function trouble({ make, cancelWhen }: SagaShape, fault: StoreFault) {
  const [inner, state] = [new MemoryStore(), emptyWorld()];
  const process = new Process(state);
  const afterwards: string[] = [];
  let broken = false;
  const where = (): boolean => {
    broken = true;
    return true;
  };
  const store = faultyStore(inner, [{ ...fault, where }]);
  const cancelling = new AbortController();
  const onProgress = (event: SagaEvent): void => {
    if (cancelWhen?.(event) === true) cancelling.abort(new Error('cancelled'));
    if (broken && event.type.endsWith('-started')) afterwards.push(event.type);
  };
  const { signal } = cancelling;
  const definition = make({ saga }, process.world);
  const options = { store, env: process.env, signal, onProgress };
  const first = await process.end(definition.run('t', 'Rome', options));
  const late = [...afterwards];
  const next = new AbortController();
  const again = { ...options, signal: next.signal };
  const second = await process.end(
    definition.run('t', 'Rome', {
      ...again,
      onProgress: (event) => {
        if (cancelWhen?.(event) === true) next.abort(new Error('cancelled'));
      },
    }),
  );
  const timers = process.env.pendingTimers().map(({ label }) => label);
  return { first, late, second, state, timers };
}

function endedAs(second: Outcome, parts: Pick<Ended, 'world' | 'timers'>): Ended {
  if (!('status' in second)) throw second.error;
  const crashes = ['at a fault of the store'];
  return {
    ...NOTHING,
    ...parts,
    crashes,
    result: second,
    again: second,
    callsAgain: 0,
    commits: 0,
  };
}

// R:I3, R:J4
describe('a saga whose store breaks at a commit', () => {
  it.each(shapes)('begins nothing more, says so, and can go on at once: $name', async (shape) => {
    const calm = await calmly(shape);

    for (const [when, fault] of FAULTS) {
      for (let nth = 1; nth <= calm.commits; nth += 1) {
        const { first, late, second, state, timers } = await trouble(shape, {
          on: 'commit',
          nth,
          when,
          fault,
        });
        const at = `${fault} ${when} commit ${nth}`;

        expect(`${at}: ${wordOf(first)}`).toBe(`${at}: TELLASK_SAGA_STOPPED`);
        expect(`${at}: ${late.join()}`).toBe(`${at}: `);
        checkEnded(endedAs(second, { world: state, timers }), calm, []);
      }
    }
  });

  it.each(['fail', 'hang'] as const)('begins nothing when it cannot be read: %s', async (fault) => {
    const [inner, state] = [new MemoryStore(), emptyWorld()];
    const process = new Process(state);
    const store = faultyStore(inner, [{ on: 'get', nth: 1, when: 'before', fault }]);
    const definition = (SHAPES[0] as SagaShape).make({ saga }, process.world);

    const first = await process.end(definition.run('t', 'Rome', { store, env: process.env }));

    expect(first).toMatchObject({ code: 'TELLASK_SAGA_STOPPED' });
    expect((first as { error: Error }).error.cause).toBeInstanceOf(Error);
    expect(state.calls).toEqual([]);
    expect(process.env.pendingTimers()).toEqual([]);
  });
});
