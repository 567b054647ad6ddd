import type { Notes } from './agents/writer.ts';
import type { FailedFile } from './failed-files.ts';
import type { Audit } from './report.ts';
import type { Found } from './walk.ts';

/** Puts together what the report tells: the writer's notes and the files that nobody could read. */
export function auditOf(
  title: string,
  files: readonly Found[],
  notes: Notes,
  failed: readonly FailedFile[],
): Audit {
  const count = (kind: Found['kind']) => files.filter((found) => found.kind === kind).length;
  const unread = failed.map(({ path, why }) => ({ path, reason: why }));
  return {
    title,
    pages: count('page'),
    packages: count('package'),
    ...notes,
    unread: [...notes.unread, ...unread],
  };
}
