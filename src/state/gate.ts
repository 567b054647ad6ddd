import type { StateCore } from './core.ts';
import type { Author } from './entry.ts';
import type { Holder } from './holder.ts';
import type { StateAccessAction } from './state-access.ts';

/** Asks, before every operation of a view, whether its holder may. */
export class Gate {
  readonly #core: StateCore;
  readonly #holder: Holder;

  constructor(core: StateCore, holder: Holder) {
    this.#core = core;
    this.#holder = holder;
  }

  /** Before anything is shown; of many keys `sees` says which. */
  enter(): void {
    this.#holder.checkAlive?.();
  }

  /** What leaves at some time. */
  get registration(): unknown {
    return this.#holder.registration;
  }

  sees(key: string): boolean {
    const { alive, rights, actor } = this.#holder;
    if (alive === false || rights?.allows('read', key) === false) return false;
    return this.#core.access?.allows(actor, 'read', key) !== false;
  }

  /** Those that it may see. */
  only<T extends { readonly key: string }>(found: T[]): T[] {
    const ruled = this.#core.access?.on === true || this.#holder.rights !== undefined;
    return ruled ? found.filter(({ key }) => this.sees(key)) : found;
  }

  /** Before it is shown what is at a key. */
  look(key: string): void {
    this.#holder.checkAlive?.();
    this.#check('read', key);
  }

  /** Who writes; the write shows nothing of what is there. */
  author(key: string): Author {
    const author = this.#holder.author();
    this.#check('write', key);
    return author;
  }

  /** Who writes, where the write depends on what is there, and its error may show it. */
  editor(key: string): Author {
    const author = this.author(key);
    this.#check('read', key);
    return author;
  }

  /** A deny wins, whoever says it. */
  #check(action: StateAccessAction, key: string): void {
    this.#holder.rights?.check(action, key);
    this.#core.access?.check(this.#holder.actor, action, key);
  }
}
