import { misuse } from '../kernel/errors.ts';
import { checkCount } from './check.ts';
import { StoreForgottenError } from './errors.ts';
import type { Commit, Committed, ReadOptions, Write } from './store.ts';

/** The last commits of a store. The revision of a commit is the version of all that it wrote. */
export class CommitLog {
  readonly #maxCommits: number;
  #revision = 0;
  /** The newest `maxCommits`, and at most as many older ones that have yet to be cleared away. */
  #commits: Commit[] = [];

  constructor(maxCommits: number) {
    this.#maxCommits = maxCommits;
  }

  get revision(): number {
    return this.#revision;
  }

  append(writes: readonly Write[]): Commit {
    const version = this.#revision + 1;
    const committed = writes.map(({ key, value }) => Object.freeze({ key, value, version }));
    const commit = Object.freeze({ revision: version, writes: Object.freeze(committed) });
    this.#revision = version;
    this.#commits.push(commit);
    this.#forget();
    return commit;
  }

  read({ after, limit }: Required<ReadOptions>): readonly Commit[] {
    const oldest = this.#oldest;
    if (after + 1 < oldest) throw new StoreForgottenError(after, oldest);
    const first = this.#revision - this.#commits.length + 1;
    const from = Math.max(0, after + 1 - first);
    return this.#commits.slice(from, from + limit);
  }

  /** Those that `read` can give back. */
  commits(): readonly Commit[] {
    return this.read({ after: this.#oldest - 1, limit: Infinity });
  }

  restore(revision: number, commits: readonly Commit[]): void {
    checkCount(revision, 'revision');
    if (!Array.isArray(commits)) throw misuse('commits', 'an array', commits);
    this.#revision = revision;
    const first = revision - commits.length + 1;
    this.#commits = commits.map((commit, index) => restored(commit, first + index));
    this.#forget();
  }

  get #oldest(): number {
    const kept = Math.min(this.#commits.length, this.#maxCommits);
    return this.#revision - kept + 1;
  }

  /** Many at a time: to shift one at a time would move a long array with each commit. */
  #forget(): void {
    if (this.#commits.length <= 2 * this.#maxCommits) return;
    this.#commits.splice(0, this.#commits.length - this.#maxCommits);
  }
}

function restored(commit: Commit | null, revision: number): Commit {
  if (commit?.revision !== revision || !Array.isArray(commit.writes))
    throw new TypeError(`commits lacks commit ${revision}, or has it in another place`);
  // JSON leaves out the value of what was deleted.
  const writes = (commit.writes as readonly Committed[]).map(({ key, value }) =>
    Object.freeze({ key, value, version: revision }),
  );
  return Object.freeze({ revision, writes: Object.freeze(writes) });
}
