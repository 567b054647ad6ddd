import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSources } from './sources.ts';

/** The classes that users see, and that have members for the rest of the library. */
const PUBLIC_CLASSES = [
  'agents/agent.ts',
  'message/contract.ts',
  'resilience/bulkhead.ts',
  'delivery/permissions.ts',
  'resilience/circuit-breaker.ts',
  'resilience/compose.ts',
  'resilience/fallback.ts',
  'resilience/policy.ts',
  'resilience/rate-limit.ts',
  'saga/saga.ts',
  'state/lock.ts',
  'state/past.ts',
  'state/state-access.ts',
  'state/state-manager.ts',
  'state/state-view.ts',
  'state/transaction.ts',
  'testing/saga-world.ts',
];

describe('the declarations', () => {
  // The build strips what is marked so. Elsewhere that leaves declarations which name what is gone.
  it('hide members of public classes with @internal, and nothing else', () => {
    const marked = readSources()
      .map(({ path }) => path)
      .filter((path) => {
        const text = readFileSync(new URL(`../../src/${path}`, import.meta.url), 'utf8');
        return text.includes('@internal');
      });

    expect(marked.filter((path) => !PUBLIC_CLASSES.includes(path))).toEqual([]);
  });
});
