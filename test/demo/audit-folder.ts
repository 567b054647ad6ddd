import { cp, mkdtemp, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PAGE_CHECKERS } from '../../examples/demo/checks/checkers.ts';
import { packageChecker } from '../../examples/demo/checks/packages.ts';
import type { Checker, Library, Page } from '../../examples/demo/finding.ts';
import { openLibrary } from '../../examples/demo/library.ts';
import { extract } from '../../examples/demo/markdown/extract.ts';
import { type Review, review, type Talk } from '../../examples/demo/review.ts';
import { verify } from '../../examples/demo/verify/verify.ts';
import { walkFolder } from '../../examples/demo/walk.ts';

/** The whole desk without a bus: what the agents must find, whoever of them does the work. */
export async function auditFolder(root: string): Promise<Review[]> {
  const library = openLibrary(root);
  const reviews: Review[] = [];
  for await (const { kind, path } of walkFolder(root)) {
    const text = (await library.textOf(path)) ?? '';
    const page: Page = { path, text, extract: extract(kind === 'page' ? text : '') };
    for (const checker of kind === 'page' ? PAGE_CHECKERS : [packageChecker]) {
      const findings = await checker.check(page, library);
      reviews.push(...(await review(findings, talkWith(checker, library))));
    }
  }
  return reviews;
}

function talkWith(checker: Checker, library: Library): Talk {
  return {
    verify: (finding) => verify(finding, library),
    reconsider: (contested) =>
      Promise.all(
        contested.map(({ finding, objection }) => checker.reconsider(finding, objection, library)),
      ),
  };
}

/** A copy of the fixture whose `installed` folder is called node_modules, which git ignores. */
export async function copyFixture(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'desk-'));
  await cp(new URL('fixture', import.meta.url), root, { recursive: true });
  await rename(join(root, 'installed'), join(root, 'node_modules'));
  return root;
}
