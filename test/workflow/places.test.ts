import { afterEach, describe, expect, it, vi } from 'vitest';

const FAN_OUT = '../../src/workflow/fan-out.ts';

/** As in a process in which no workflow has run. */
async function freshPlaces(): Promise<typeof import('../../src/workflow/places.ts')> {
  vi.resetModules();
  return import('../../src/workflow/places.ts');
}

const never = (error: unknown): void => {
  throw error;
};

describe('the places of the first workflow', () => {
  afterEach(() => {
    vi.doUnmock(FAN_OUT);
    vi.resetModules();
  });

  it('are given, in the order of the jobs, when what counts them is loaded', async () => {
    const { Places } = await freshPlaces();
    const places = new Places(1, never);
    const log: string[] = [];

    const done = ['a', 'b'].map(
      (name) =>
        new Promise<void>((resolve) => {
          places.add(async () => {
            log.push(name);
            resolve();
          });
        }),
    );
    log.push('called');
    await Promise.all(done);
    const next = new Places(1, never);
    next.add(async () => void log.push('at once'));
    log.push('called again');

    expect(log).toEqual(['called', 'a', 'b', 'at once', 'called again']);
  });

  it('are never given when it cannot be loaded, and that is told', async () => {
    vi.doMock(FAN_OUT, () => {
      throw new Error('not installed');
    });
    const { Places } = await freshPlaces();

    const fault = await new Promise<unknown>((resolve) => {
      new Places(1, resolve).add(never as never);
    });

    expect(fault).toBeInstanceOf(Error);
  });
});
