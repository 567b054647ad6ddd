import { describe, expect, it } from 'vitest';
import { MemoryStore, saga } from '../../src/index.ts';
import { elsewhere, turn, World } from './world.ts';

/** One whose step is undone only when the world allows it. */
function stubborn(world: World, allowed: () => boolean) {
  const undo = (): void => {
    if (!allowed()) throw new Error('not yet');
  };
  return saga<number>('trip')
    .step('a', world.step('a', { undo, compensation: { retry: false } }))
    .step('b', world.failing('b'));
}

// R:I3
describe('a call that comes while another with the same id is being taken up', () => {
  it('begins what the other only wanted to resume', async () => {
    const world = new World();
    const store = new MemoryStore();
    const trips = saga<number>('trip').step('a', world.step('a'));

    const resumed = trips.resume('1', { store });
    const run = trips.run('1', 7, { store });

    await expect(resumed).rejects.toMatchObject({ code: 'TELLASK_SAGA_NOT_FOUND' });
    expect(await run).toMatchObject({ status: 'completed' });
    expect(world.log).toEqual(['a']);
  });

  it('has nothing to do with a signal of the other that had aborted', async () => {
    const world = new World();
    const store = new MemoryStore();
    const trips = saga<number>('trip').step('a', world.step('a'));

    const aborted = trips.run('1', 7, { store, signal: AbortSignal.abort(new Error('not me')) });
    const run = trips.run('1', 7, { store });

    await expect(aborted).rejects.toThrow('not me');
    expect(await run).toMatchObject({ status: 'completed' });
  });

  it('has nothing to do with a wrong input of the other', async () => {
    const store = new MemoryStore();
    const trips = saga<number>('trip').step('a', new World().step('a'));
    await trips.run('1', 7, { store });

    const wrong = trips.run('1', 8, { store });
    const right = trips.run('1', 7, { store });

    await expect(wrong).rejects.toMatchObject({ code: 'TELLASK_SAGA_INPUT' });
    expect(await right).toMatchObject({ status: 'completed' });
  });

  it('forces what the other only asked for', async () => {
    let allowed = false;
    const store = new MemoryStore();
    const trips = stubborn(new World(), () => allowed);
    await trips.run('1', 7, { store });
    allowed = true;

    const asked = trips.run('1', 7, { store });
    const forced = trips.resume('1', { store, force: true });

    expect((await asked).status).toBe('compensation-failed');
    expect((await forced).status).toBe('compensated');
  });

  it('takes over what the other was refused', async () => {
    const world = new World();
    const store = new MemoryStore();
    const trips = saga<number>('trip').step(
      'a',
      world.step('a', { run: () => new Promise(() => {}) }),
    );
    void trips.run('1', 7, { store: elsewhere(store) }).catch(() => {});
    await turn();
    const here = saga<number>('trip').step('a', world.step('a'));

    const refused = here.resume('1', { store });
    const taken = here.resume('1', { store, takeOver: true });

    await expect(refused).rejects.toMatchObject({ code: 'TELLASK_SAGA_RUNNING' });
    expect((await taken).status).toBe('completed');
  });

  it('stops waiting when its own signal aborts, and begins nothing then', async () => {
    const world = new World();
    const store = new MemoryStore();
    const trips = saga<number>('trip').step('a', world.step('a'));
    const controller = new AbortController();

    const resumed = trips.resume('1', { store });
    const run = trips.run('1', 7, { store, signal: controller.signal });
    controller.abort(new Error('no more'));

    await expect(run).rejects.toThrow('no more');
    await expect(resumed).rejects.toMatchObject({ code: 'TELLASK_SAGA_NOT_FOUND' });
    expect(world.log).toEqual([]);
  });
});
