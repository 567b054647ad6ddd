import { expect, it } from 'vitest';
import type { Checker, Library, Page } from '../../examples/demo/finding.ts';
import { shield } from '../../examples/demo/shield.ts';
import { failAt } from '../../examples/demo/trouble.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const page = { path: 'a.md' } as Page;
const library = {} as Library;

/** Counts the pages that it looks at. */
function counting(): { checker: Checker; pages(): number } {
  let pages = 0;
  const checker: Checker = {
    name: 'counter',
    check: async () => {
      pages++;
      return [];
    },
    reconsider: () => Promise.reject(new Error('nobody asks')),
  };
  return { checker, pages: () => pages };
}

/** A shielded checker that fails from its third page to its fifth, on a clock that stands still. */
function failing() {
  const env = new SimEnv();
  const [sure, flaky] = [counting(), counting()];
  let calls = 0;
  const broken = failAt(3, 5, flaky.checker);
  const check: Checker['check'] = (...asked) => {
    calls++;
    return broken.check(...asked);
  };
  const { checker, report } = shield(sure.checker, { ...broken, check }, env);
  const checkPages = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) expect(await checker.check(page, library)).toEqual([]);
  };
  return {
    env,
    checkPages,
    report,
    calls: () => calls,
    pages: () => [flaky.pages(), sure.pages()],
  };
}

it('has every page checked, and leaves alone who fails three times in a row', async () => {
  const { checkPages, calls, pages, report } = failing();

  await checkPages(5);
  expect([calls(), report().status]).toEqual([5, 'open']);
  await checkPages(5);

  // With the circuit open the checker gets no call at all.
  expect(calls()).toBe(5);
  expect(pages()).toEqual([2, 8]);
  expect(report()).toEqual({ name: 'counter', failed: 3, spared: 5, status: 'open' });
});

it('asks it again when its time is over, and closes when it is well', async () => {
  const { env, checkPages, calls, report } = failing();
  await checkPages(6);

  await env.advance(199);
  await checkPages(1);
  expect(calls()).toBe(5);
  await env.advance(1);
  await checkPages(2);

  expect(calls()).toBe(7);
  expect(report()).toEqual({ name: 'counter', failed: 3, spared: 2, status: 'closed' });
});

it('says of one that never fails that its circuit is closed', async () => {
  const [sure, flaky] = [counting(), counting()];
  const { checker, report } = shield(sure.checker, flaky.checker);

  await checker.check(page, library);

  expect(report()).toEqual({ name: 'counter', failed: 0, spared: 0, status: 'closed' });
  expect(sure.pages()).toBe(0);
});
