import { expect, it } from 'vitest';
import type { Checker, Library, Page } from '../../examples/demo/finding.ts';
import { shield } from '../../examples/demo/shield.ts';
import { failAt } from '../../examples/demo/trouble.ts';

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

it('has every page checked, and leaves alone who fails three times in a row', async () => {
  const [sure, flaky] = [counting(), counting()];
  const { checker, report } = shield(sure.checker, failAt(3, 5, flaky.checker));

  for (let n = 0; n < 10; n++) expect(await checker.check(page, library)).toEqual([]);

  expect([flaky.pages(), sure.pages()]).toEqual([2, 8]);
  expect(report()).toEqual({ name: 'counter', failed: 3, spared: 5, status: 'open' });
});

it('says of one that never fails that its circuit is closed', async () => {
  const [sure, flaky] = [counting(), counting()];
  const { checker, report } = shield(sure.checker, flaky.checker);

  await checker.check(page, library);

  expect(report()).toEqual({ name: 'counter', failed: 0, spared: 0, status: 'closed' });
  expect(sure.pages()).toBe(0);
});
