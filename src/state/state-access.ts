import { DeniedError } from '../access/errors.ts';
import { Access, type AccessDecision, type AccessRules } from '../access/rules.ts';
import { misuse } from '../kernel/errors.ts';
import { isThenable } from '../kernel/thenable.ts';

/** What access rules of the state are about. */
export type StateAccessAction = 'read' | 'write';

/** Rules of the state: `on` are patterns over keys. */
export type StateAccessRules = AccessRules<StateAccessAction>;

/** Hears of every refusal, for an audit. What it throws is of no consequence. */
export type DeniedListener = (refusal: DeniedError) => void;

const ACTIONS: readonly StateAccessAction[] = ['read', 'write'];
const HOST = '$host';

/**
 * Who may read and write which keys. New rules hold from the next operation on, also for views and
 * watches that exist. The host is bound by none: it is the one who makes them.
 */
export class StateAccess {
  #access: Access<StateAccessAction> | undefined;
  readonly #listeners = new Set<DeniedListener>();

  constructor(rules: StateAccessRules | undefined) {
    this.set(rules);
  }

  /**
   * Puts other rules in the place of those that hold; `undefined` lets everybody do everything.
   *
   * @throws TypeError for what is no rule, InvalidPatternError `TELLASK_INVALID_PATTERN`: then the
   * rules that held go on to hold.
   */
  set(rules: StateAccessRules | undefined): void {
    this.#access = rules === undefined ? undefined : new Access(rules, ACTIONS);
  }

  /** Whether an actor may, and by which rule. */
  explain(actor: string, action: StateAccessAction, key: string): AccessDecision {
    if (!ACTIONS.includes(action)) throw misuse('action', "'read' or 'write'", action);
    if (this.#access === undefined || actor === HOST) return { allowed: true, rule: undefined };
    return this.#access.explain(actor, action, key);
  }

  /** Hears of every refusal, until the returned function is called. */
  onDenied(listener: DeniedListener): () => void {
    if (typeof listener !== 'function') throw misuse('The listener', 'a function', listener);
    const own: DeniedListener = (refusal) => listener(refusal);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Whether anybody is asked. @internal */
  get on(): boolean {
    return this.#access !== undefined;
  }

  /** @internal */
  allows(actor: string, action: StateAccessAction, key: string): boolean {
    if (this.#access === undefined || actor === HOST) return true;
    // What is no key is refused by whoever is asked for it.
    return typeof key !== 'string' || this.#access.allows(actor, action, key);
  }

  /** @internal */
  check(actor: string, action: StateAccessAction, key: string): void {
    if (this.allows(actor, action, key)) return;
    const { rule } = this.explain(actor, action, key);
    const by = rule === undefined ? 'the default of the access rules' : `access rule ${rule}`;
    const refusal = new DeniedError(actor, action, key, by, rule);
    this.#tell(refusal);
    throw refusal;
  }

  /** A refusal stays one, whatever becomes of who hears of it. */
  #tell(refusal: DeniedError): void {
    for (const listener of this.#listeners) {
      try {
        const heard: unknown = listener(refusal);
        if (isThenable(heard)) heard.then(undefined, () => {});
      } catch {
        // There is nobody to tell: a state alone has no place for faults.
      }
    }
  }
}
