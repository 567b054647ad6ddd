import type { Draft, StateCore } from './core.ts';
import type { StateAction } from './entry.ts';

/** An entry as it was kept. */
export interface KeptEntry {
  readonly key: string;
  /** Frozen to the bottom. */
  readonly value: unknown;
  readonly version: number;
  readonly revision: number;
  readonly action: StateAction;
  readonly actor: string;
  readonly causationId?: string | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Epoch milliseconds. */
  readonly expiresAt?: number | undefined;
}

/** Makes of a kept value what it is to be today; `undefined` deletes it. */
export type Migrate = (entry: KeptEntry) => unknown;

/** What has to be written so that everything is as the contract wants it; nothing is changed yet. */
export function migrations(core: StateCore, migrate: Migrate = ({ value }) => value): Draft[] {
  const drafts: Draft[] = [];
  for (const { key, current } of core.records()) {
    if (current?.exists !== true) continue;
    const value = migrate(current);
    if (value === undefined) drafts.push(core.removal(key, 'migrated'));
    else {
      core.checkKey(key);
      drafts.push(core.draft(key, 'migrated', value, current.expiresAt));
    }
  }
  return drafts.filter(({ before, value }) => value !== before?.value);
}
