/** What the state does unless it is told otherwise: `docs/defaults.md` is generated from it. */
export const STATE_DEFAULTS = {
  maxVersions: 100,
  maxHistoryBytes: 16_777_216,
  maxValueBytes: 1_048_576,
  maxDepth: 100,
  retries: 3,
  lockTimeoutMs: 10_000,
  leaseMs: 30_000,
  watchBuffer: 1_024,
} as const;
