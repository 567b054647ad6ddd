import type { AccessRules } from '../access/rules.ts';
import { misuse } from '../kernel/errors.ts';
import {
  ACTIONS,
  type Authority,
  type PermissionAction,
  type PermissionDecision,
  type PermissionRule,
} from './authority.ts';
import type { Revocation } from './revocation.ts';

/** The permissions of a bus, for its host: what holds, why, and how it changes. */
export class Permissions {
  readonly #authority: Authority;
  readonly #revocation: Revocation;

  /** @internal */
  constructor(authority: Authority, revocation: Revocation) {
    this.#authority = authority;
    this.#revocation = revocation;
  }

  /** The rules that hold now. Their places are what decisions and errors call `rule`. */
  get rules(): readonly PermissionRule[] {
    return this.#authority.rules;
  }

  /** What holds where no rule fits. */
  get default(): 'allow' | 'deny' {
    return this.#authority.standard;
  }

  /**
   * Puts other rules in the place of those that hold; the authorizer stays. They hold when this
   * returns: what is queued for who may not have it any more is dead-lettered as `denied`, and open
   * requests and streams of who may not ask or answer any more end with a DeniedError.
   *
   * @throws TypeError for what is no rule, InvalidPatternError `TELLASK_INVALID_PATTERN`: then the
   * rules that held go on to hold.
   */
  set(rules: AccessRules<PermissionAction>): void {
    this.#authority.set(rules);
    this.#revocation.enforce();
  }

  /**
   * Adds a rule behind the others, and returns how to take it back: an `allow` is a grant that can
   * be withdrawn, a `deny` a suspension that can be lifted.
   *
   * @throws as `set`
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus({ permissions: { default: 'deny' } });
   * const intern = bus.register('intern');
   * const may = () => bus.permissions.explain('intern', 'publish', 'report.draft').allowed;
   * may(); // => false
   * const withdraw = bus.permissions.add({ effect: 'allow', agents: 'intern', on: 'report.*' });
   * intern.publish('report.draft', 'Tea');
   * withdraw();
   * may(); // => false
   * ```
   */
  add(rule: PermissionRule): () => void {
    const before = this.#authority.rules;
    this.#replace([...before, rule]);
    // Equal rules are not the same one.
    const added = this.#authority.rules[before.length];
    return () => {
      const { rules } = this.#authority;
      if (added !== undefined && rules.includes(added)) {
        this.#replace(rules.filter((one) => one !== added));
      }
    };
  }

  /** Asks the authorizer anew: of who hears and answers what, its verdicts are kept until then. */
  recheck(): void {
    this.#revocation.enforce();
  }

  /**
   * Whether an agent may do it on this topic or key, and what decides. Asks the authorizer, too.
   *
   * @throws TypeError for an action that there is not
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus({
   *   permissions: { default: 'allow', rules: [{ effect: 'deny', agents: 'guest-*', on: 'pay.**' }] },
   * });
   * bus.permissions.explain('guest-7', 'send', 'pay.bill');
   * // => { allowed: false, rule: 0, by: 'rule' }
   * bus.permissions.explain('$host', 'send', 'pay.bill');
   * // => { allowed: true, rule: undefined, by: 'host' }
   * ```
   */
  explain(agent: string, action: PermissionAction, on: string): PermissionDecision {
    if (typeof agent !== 'string') throw misuse('The agent', 'a name', agent);
    if (!ACTIONS.includes(action)) throw misuse('action', `of ${ACTIONS.join(', ')}`, action);
    if (typeof on !== 'string') throw misuse('on', 'a topic or a key', on);
    return this.#authority.decide(agent, action, on);
  }

  #replace(rules: readonly PermissionRule[]): void {
    this.set({ default: this.#authority.standard, rules });
  }
}
