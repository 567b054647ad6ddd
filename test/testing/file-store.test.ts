import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FileStore } from '../../examples/file-store.ts';
import type { Store } from '../../src/index.ts';
import { storeConformance } from '../../src/testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'tellask-file-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

const paths = new WeakMap<Store, string>();
let made = 0;

function open(path: string): Store {
  const store = new FileStore(path);
  paths.set(store, path);
  return store;
}

// The example of a store that outlives its process is a right one.
describe('the file store of the examples', () => {
  const makeStore = (): Store => {
    made += 1;
    return open(join(folder, `${made}.json`));
  };
  const cases = storeConformance(makeStore, {
    features: { commits: 0, checks: false },
    reopen: (closed) => open(paths.get(closed) as string),
    seeds: 2,
  });

  it.each([...cases])('$name', ({ run }) => run());

  it('is not taken for empty when it cannot be read', async () => {
    await expect(open(folder).get('a')).rejects.toThrow('EISDIR');
  });
});
