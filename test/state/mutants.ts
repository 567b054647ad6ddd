import type { Mutant } from '../property/mutants.ts';

/** Faults that a state of this kind could really have. */
export const STATE_MUTANTS: readonly Mutant[] = [
  {
    name: 'a read is stale',
    file: 'state/state-view.ts',
    text: 'return entryOf(this.#ground.find(key)?.current) as',
    replacement:
      'const r = this.#ground.find(key); return entryOf(r?.find((r.current?.version ?? 0) - 1) ?? r?.current) as',
  },
  {
    name: 'compare-and-set takes an older version',
    file: 'state/conflict.ts',
    text: 'if ((current?.version ?? 0) === expectedVersion) return undefined;',
    replacement: 'if ((current?.version ?? 0) >= expectedVersion) return undefined;',
  },
  {
    name: 'a compare in a transaction and its set are two steps',
    file: 'state/staging.ts',
    text: 'if (revision === this.#checkedAt) return;',
    replacement:
      'if (revision >= this.#checkedAt) { for (const key of this.#seen.keys()) this.#seen.set(key, this.#core.find(key)?.current); for (const [key, one] of this.#writes) this.#writes.set(key, { ...one, draft: { ...one.draft, before: this.#seen.get(key) } }); return; }',
  },
  {
    name: 'a transaction is checked for what it wrote alone',
    file: 'state/staging.ts',
    text: 'if (revision === this.#checkedAt) return;',
    replacement: 'if (revision >= this.#checkedAt) return;',
  },
  {
    name: 'a transaction does not look for phantoms',
    file: 'state/staging.ts',
    text: ' ?? this.#scanConflict()',
    replacement: '',
  },
  {
    name: 'a transaction sees what is new beside what is old',
    file: 'state/staging.ts',
    text: 'find(key: string): KeyRecord | undefined {\n    this.check();',
    replacement: 'find(key: string): KeyRecord | undefined {',
  },
  {
    name: 'what a transaction wrote leaks before it ends',
    file: 'state/staging.ts',
    text: 'const before = this.#seen.get(key);',
    replacement:
      'this.#core.commit(author, [{ ...draft, before: this.#core.find(key)?.current }]); const before = this.#core.find(key)?.current; this.#seen.set(key, before); this.#checkedAt = this.#core.revision;',
  },
  {
    name: 'a version is used again after a delete',
    file: 'state/core.ts',
    text: 'return 1 + (before?.version ?? this.#versionFloor);',
    replacement: 'return 1 + (before?.exists === true ? before.version : this.#versionFloor);',
  },
  {
    name: 'a version is used twice',
    file: 'state/core.ts',
    text: 'return 1 + (before?.version ?? this.#versionFloor);',
    replacement: 'return Math.max(1, before?.version ?? 0);',
  },
  {
    name: 'a watcher skips what is written while it reads',
    file: 'state/watchers.ts',
    text: 'for (const watcher of this.#index.matches(first.key)) watcher.offer(versions);',
    replacement:
      'for (const watcher of this.#index.matches(first.key)) if (first.version % 7 !== 6) watcher.offer(versions);',
  },
  {
    name: 'a watcher is told twice',
    file: 'state/watcher.ts',
    text: 'for (const version of seen) this.#backlog.add(version);',
    replacement:
      'for (const version of seen) { this.#backlog.add(version); if (version.version === 3) this.#backlog.add(version); }',
  },
  {
    name: 'a lock is granted although somebody holds it',
    file: 'state/lock-table.ts',
    text: 'if (this.held !== undefined || this.waiters.size === 0) return;',
    replacement: 'if (this.waiters.size === 0) return;',
  },
  {
    name: 'a newcomer overtakes those who wait',
    file: 'state/lock-table.ts',
    text: 'const waiter = this.waiters.shift();',
    replacement:
      'const waiter = this.waiters.toArray().at(-1); if (waiter) this.waiters.remove(waiter);',
  },
  {
    name: 'a lock that was lost still writes',
    file: 'state/lock.ts',
    text: 'if (this.#lost !== undefined) throw',
    replacement: "if (this.#lost === 'released') throw",
  },
  {
    name: 'a token is used twice',
    file: 'state/lock-table.ts',
    text: 'return ++this.#lastToken;',
    replacement: 'return 1;',
  },
  {
    name: 'the time-out of a lock goes on when it was granted',
    file: 'state/lock-table.ts',
    text: 'waiter.settled = true;\n    waiter.timer?.cancel();',
    replacement: 'waiter.settled = true;',
  },
];
