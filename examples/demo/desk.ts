import { defineContract } from 'tellask';
import type { Task } from 'tellask/agents';
import { z } from 'zod';
import type { Answer, Finding, Page } from './finding.ts';
import type { Audit } from './report.ts';
import type { Contested, Review } from './review.ts';

const file = z.object({ path: z.string() });
/** A report, as the index lists it and the herald announces it. */
const entry = z.object({ title: z.string(), findings: z.number() });
/** Texts by the names of their files; null where there is none. */
const kept = z.record(z.string(), z.string().nullable());

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
    'report.announced': entry,
    // Whoever drafts a part of it changes the version of the document that is named.
    'report.due': z.object({ audit: z.custom<Audit>(), version: z.number() }),
    // What the board says of its tasks.
    'task.{id}.{event}': z.custom<Task>(),
    'page.{path}.reviewed': z.object({ reviews: z.custom<readonly Review[]>() }),
  },
  requests: {
    // By which the board hands a task out.
    'task.work': { input: z.custom<Task>(), output: z.unknown() },
    extract: { input: file, output: z.custom<Page>() },
    'reconsider.{checker}': {
      input: z.custom<readonly Contested[]>(),
      output: z.custom<readonly Answer[]>(),
    },
    // Both give the report line by line, as it is written.
    'report.write': { input: z.custom<Audit>(), chunk: z.string(), output: z.number() },
    'report.publish': {
      input: z.object({ audit: z.custom<Audit>(), diagram: z.string() }),
      chunk: z.string(),
      output: z.object({ status: z.enum(['written', 'kept']) }),
    },
    'report.announce': { input: entry, output: z.boolean() },
    'index.add': { input: entry, output: z.boolean() },
    'files.keep': { input: z.array(z.string()), output: kept },
    'files.restore': { input: kept, output: z.boolean() },
    'files.overwrite': { input: z.array(z.string()), output: z.boolean() },
  },
});

export type Desk = typeof desk;
