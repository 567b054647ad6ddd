import { defineContract } from 'tellask';
import { z } from 'zod';
import type { Answer, Finding, Page } from './finding.ts';
import type { Contested, Review } from './review.ts';

const file = z.object({ path: z.string() });

/** All that is said at the desk. `{path}` names a file, as `nameOf` writes it. */
export const desk = defineContract({
  topics: {
    'file.{path}.found': file,
    'package.{path}.found': file,
    'folder.{path}.unreadable': z.object({ path: z.string(), reason: z.string() }),
    'page.{path}.read': z.custom<Page>(),
    'page.{path}.checked': z.object({
      checker: z.string(),
      findings: z.custom<readonly Finding[]>(),
    }),
    'page.{path}.reviewed': z.object({ reviews: z.custom<readonly Review[]>() }),
  },
  requests: {
    extract: { input: file, output: z.custom<Page>() },
    'reconsider.{checker}': {
      input: z.custom<readonly Contested[]>(),
      output: z.custom<readonly Answer[]>(),
    },
  },
});

export type Desk = typeof desk;
