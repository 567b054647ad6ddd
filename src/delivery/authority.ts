import { DeniedError } from '../access/errors.ts';
import { Access, type AccessRule, type AccessRules } from '../access/rules.ts';
import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Pattern } from '../message/pattern.ts';
import { Group, type Heard } from './group.ts';
import type { Subscription } from './subscription.ts';

/** What permissions are about: topics, and for `read` and `write` keys of the state. */
export type PermissionAction =
  | 'publish'
  | 'send'
  | 'request'
  | 'serve'
  | 'subscribe'
  | 'tap'
  | 'read'
  | 'write';

/** One rule of a bus. */
export type PermissionRule = AccessRule<PermissionAction>;

/** What somebody is about to do. */
export interface PermissionCall {
  readonly agent: string;
  readonly action: PermissionAction;
  /** A topic or a key; for `subscribe`, `serve` and `tap` also the pattern that was asked for. */
  readonly on: string;
  /** To whom it is sent. */
  readonly to: string | undefined;
}

/** Says `false` to deny, `true` to allow what no rule denies, `undefined` to leave it to the rules. */
export type Authorizer = (call: PermissionCall) => boolean | undefined;

/** Who may do what on a bus. A deny wins, whoever says it. */
export interface PermissionOptions extends AccessRules<PermissionAction> {
  /** Asked, synchronously, about all that no rule denies. What throws denies. @default none */
  readonly authorizer?: Authorizer;
}

/** What was decided, and what by. */
export interface PermissionDecision {
  readonly allowed: boolean;
  /** The place of the rule among `permissions.rules`; `undefined` when no rule decided. */
  readonly rule: number | undefined;
  /** `host`: nothing names the host, and nothing else binds it. */
  readonly by: 'rule' | 'authorizer' | 'default' | 'host';
}

/** What deciding needs of its bus. */
export interface AuthorityParts {
  /** The place of the message that was said last. */
  lastSeq(): number;
  /** Hears what the authorizer did wrong. */
  onFault(error: unknown, where: string): void;
}

const HOST = '$host';
export const ACTIONS: readonly PermissionAction[] = [
  'publish',
  'send',
  'request',
  'serve',
  'subscribe',
  'tap',
  'read',
  'write',
];
const NO_RULES: readonly PermissionRule[] = Object.freeze([]);
/** So many verdicts are remembered: topics are for agents to choose. */
const MAX_REMEMBERED = 10_000;

/** Decides who may do what, by the rules that hold now. Changes nothing on the bus. */
export class Authority {
  /** What was said up to here was admitted under other rules. */
  changedAt = -1;
  /** The rules that hold, the first of them is rule 0. */
  rules: readonly PermissionRule[] = NO_RULES;
  standard: AccessRules['default'] = 'deny';
  readonly #parts: AuthorityParts;
  readonly #authorizer: Authorizer | undefined;
  readonly #verdicts = new Map<string, boolean>();
  #access!: Access<PermissionAction>;

  constructor({ authorizer, ...rules }: PermissionOptions, parts: AuthorityParts) {
    if (authorizer !== undefined && typeof authorizer !== 'function') {
      throw misuse('permissions.authorizer', 'a function of the call', authorizer);
    }
    this.#parts = parts;
    this.#authorizer = authorizer;
    this.set(rules);
  }

  /** The rules that held go on to hold when these make no sense. */
  set(given: AccessRules<PermissionAction>): void {
    this.#access = new Access(given, ACTIONS, HOST);
    this.standard = given.default;
    this.rules = Object.freeze((given.rules ?? []).map(frozen));
    this.forget();
  }

  /** Whatever was decided is decided anew. */
  forget(): void {
    this.#verdicts.clear();
    this.changedAt = this.#parts.lastSeq();
  }

  allows(agent: string, action: PermissionAction, on: string, to?: string): boolean {
    // The host's own code is not asked about the host: nothing else could end in a circle.
    if (this.#authorizer === undefined || agent === HOST)
      return this.#remembered(agent, action, on);
    return this.decide(agent, action, on, to).allowed;
  }

  decide(agent: string, action: PermissionAction, on: string, to?: string): PermissionDecision {
    const { allowed, rule } = this.#access.explain(agent, action, on);
    const ruled = rule !== undefined;
    const said = ruled && !allowed ? undefined : this.#ask({ agent, action, on, to });
    if (said !== undefined) return { allowed: said, rule: undefined, by: 'authorizer' };
    if (ruled) return { allowed, rule, by: 'rule' };
    return { allowed, rule, by: agent === HOST ? 'host' : 'default' };
  }

  /** Why somebody may not; nothing when he may. */
  refusal(
    agent: string,
    action: PermissionAction,
    on: string,
    to?: string,
  ): DeniedError | undefined {
    if (this.allows(agent, action, on, to)) return undefined;
    return denied(agent, action, on, this.decide(agent, action, on, to));
  }

  /**
   * Why somebody may not listen to, answer or tap a pattern. One that reaches further than he may is
   * none of the reasons, as long as anything is left: of that he gets what he may.
   */
  refusalOf(
    agent: string,
    action: 'subscribe' | 'serve' | 'tap',
    { source, literal, topics, globs }: Pattern,
  ): DeniedError | undefined {
    const named = literal === undefined ? topics : [literal];
    if (named.some((topic) => this.allows(agent, action, topic))) return undefined;
    const mayEver = this.#authorizer !== undefined || this.#access.mayEver(agent, action);
    if (globs.length > 0 && mayEver) return undefined;
    return denied(agent, action, source, this.decide(agent, action, named[0] ?? source));
  }

  /** Whether a subscription may get what is said on a topic; of a group, any of its members. */
  reaches(subscription: Subscription, topic: string, message?: Heard): boolean {
    const { home, owner, kind } = subscription;
    const action = kind === 'serve' ? 'serve' : 'subscribe';
    if (home instanceof Group && home.isFace(subscription)) {
      // Who may hear it and who does not hear himself has to be the same.
      if (message !== undefined) return home.hears(message);
      return home.members.some((member) => this.reaches(member.subscription, topic));
    }
    return this.#remembered(owner, action, topic);
  }

  /** Whether rules that came after a message keep it from a subscription. */
  bars({ seq, topic }: Envelope, subscription: Subscription): boolean {
    return seq <= this.changedAt && !this.reaches(subscription, topic);
  }

  /** Why a subscription may not get what is said on a topic. */
  refusalTo({ owner, kind }: Subscription, topic: string): DeniedError {
    const action = kind === 'serve' ? 'serve' : 'subscribe';
    return denied(owner, action, topic, this.decide(owner, action, topic));
  }

  /** Of the authorizer's verdicts only those about hearing are: they make the dispatch lists. */
  #remembered(agent: string, action: PermissionAction, on: string): boolean {
    const name = `${action} ${agent} ${on}`;
    const known = this.#verdicts.get(name);
    if (known !== undefined) return known;
    const { allowed } = this.decide(agent, action, on);
    if (this.#verdicts.size >= MAX_REMEMBERED) this.#verdicts.clear();
    this.#verdicts.set(name, allowed);
    return allowed;
  }

  #ask(call: PermissionCall): boolean | undefined {
    if (this.#authorizer === undefined || call.agent === HOST) return undefined;
    try {
      const said: unknown = this.#authorizer(Object.freeze(call));
      if (said === undefined || typeof said === 'boolean') return said;
      if (said instanceof Promise) said.catch(() => {});
      throw misuse('What the authorizer returns', 'true, false or undefined at once', said);
    } catch (error) {
      this.#parts.onFault(error, 'authorizer');
      return false;
    }
  }
}

/** Checks the options of a bus before anything is built on them. */
export function checkPermissions(options: PermissionOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw misuse('permissions', 'an object with default and rules', options);
  }
  refuseUnknown(options, OPTIONS, 'permissions');
  new Authority(options, { lastSeq: () => 0, onFault: () => {} });
}

const OPTIONS: ReadonlySet<string> = new Set<keyof PermissionOptions>([
  'default',
  'rules',
  'authorizer',
]);

function denied(
  agent: string,
  action: PermissionAction,
  on: string,
  { rule, by }: PermissionDecision,
): DeniedError {
  const who =
    by === 'rule'
      ? `permission rule ${rule}`
      : by === 'default'
        ? 'the default of the permissions'
        : `the ${by}`;
  return new DeniedError(agent, action, on, who, rule);
}

const read = new WeakSet<PermissionRule>();

/** Rules are read once: what becomes of the objects that were given changes nothing. */
function frozen(rule: PermissionRule): PermissionRule {
  if (read.has(rule)) return rule;
  const { effect, agents, actions, on } = rule;
  const own: PermissionRule = Object.freeze({
    effect,
    ...(agents === undefined ? {} : { agents: listed(agents) }),
    ...(actions === undefined ? {} : { actions: listed(actions) }),
    ...(on === undefined ? {} : { on: listed(on) }),
  });
  read.add(own);
  return own;
}

function listed<T extends string>(given: T | readonly T[]): T | readonly T[] {
  return typeof given === 'string' ? given : Object.freeze([...given]);
}
