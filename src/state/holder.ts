import type { Author } from './entry.ts';
import type { StateAccessAction } from './state-access.ts';
import type { StateVoice } from './transaction.ts';

/** What a holder may do with which keys. */
export interface HolderRights {
  allows(action: StateAccessAction, key: string): boolean;
  /** Throws when it may not. */
  check(action: StateAccessAction, key: string): void;
}

/** Who holds a view, and what it may do with it. */
export interface Holder {
  /** Whose rights hold, and whose name stands on what is locked. */
  readonly actor: string;
  /** Who writes; throws when the holder may write no more. */
  author(): Author;
  /** False when it may not even look any more. @default true */
  readonly alive?: boolean;
  /** Throws when it is not alive. */
  checkAlive?(): void;
  /** What binds it besides the rules of the state. @default nothing */
  readonly rights?: HolderRights | undefined;
  /**
   * The piece of work that it is for: of several that wait for each other's locks the last is
   * refused. @default the actor; for the host every call is one
   */
  readonly owner?: unknown;
  /** What leaves at some time: `locks.leave` releases all its locks. */
  readonly registration?: unknown;
  /** Says what transactions have to say; none where there is no bus. */
  readonly voice?: StateVoice | undefined;
}

/** The host, and whoever it speaks for: what they may do does not change. */
export function fixedHolder(actor: string): Holder {
  const author = { actor, causationId: undefined };
  return { actor, author: () => author };
}
