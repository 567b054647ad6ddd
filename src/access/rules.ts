import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { compilePattern, type Pattern } from '../message/pattern.ts';

/** What a rule does for those whom it fits. */
export type AccessEffect = 'allow' | 'deny';

/** One rule: who, what, and on which topics or state keys. */
export interface AccessRule<Action extends string = string> {
  readonly effect: AccessEffect;
  /** Names of agents, or patterns over them: `'writer'`, `'guest-*'`. @default everybody */
  readonly agents?: string | readonly string[];
  /** @default every action */
  readonly actions?: Action | readonly Action[];
  /** Patterns over topics or keys. @default all */
  readonly on?: string | readonly string[];
}

/** Who may do what. Where no rule fits, the default holds; where several do, a deny wins. */
export interface AccessRules<Action extends string = string> {
  /** Has to be said, so that nobody is left to guess. */
  readonly default: AccessEffect;
  readonly rules?: readonly AccessRule<Action>[];
}

/** What was decided, and by which rule. */
export interface AccessDecision {
  readonly allowed: boolean;
  /** The place of the rule in the list; `undefined` when the default decided. */
  readonly rule: number | undefined;
}

interface Compiled {
  readonly index: number;
  readonly denies: boolean;
  readonly agents: readonly Pattern[];
  readonly actions: ReadonlySet<string> | undefined;
  readonly on: readonly Pattern[];
}

/** How many pairs of an agent and an action are remembered with the rules that concern them. */
const MAX_REMEMBERED = 10_000;

/**
 * Checked and compiled {@link AccessRules}. Which rules concern an agent and an action is looked up
 * once; after that a decision costs as much as the patterns of these rules.
 *
 * @throws TypeError for what is no rule, InvalidPatternError for what is no pattern.
 */
export class Access<Action extends string = string> {
  readonly #allowsByDefault: boolean;
  /** Those that deny come first: one that fits is the last word. */
  readonly #rules: readonly Compiled[];
  readonly #known = new Map<string, readonly Compiled[]>();
  readonly #authority: string | undefined;

  /** `authority`: bound by nothing but the rules that name it. */
  constructor(rules: AccessRules<Action>, actions: readonly Action[], authority?: string) {
    if (typeof rules !== 'object' || rules === null) {
      throw misuse('The access rules', 'an object with default and rules', rules);
    }
    refuseUnknown(rules, RULES, 'The access rules');
    this.#allowsByDefault = readEffect('default', rules.default) === 'allow';
    this.#authority = authority;
    const { rules: list = [] } = rules;
    if (!Array.isArray(list)) throw misuse('rules', 'an array', list);
    const compiled = list.map((rule, index) => compileRule(rule, index, actions));
    this.#rules = [
      ...compiled.filter(({ denies }) => denies),
      ...compiled.filter(({ denies }) => !denies),
    ];
  }

  /** Whether an agent may do it on this topic or key. */
  allows(agent: string, action: Action, on: string): boolean {
    const rule = this.#deciding(agent, action, on);
    return rule === undefined ? this.#allowsUnruled(agent) : !rule.denies;
  }

  /** False when there is nothing at all on which the agent may do it. */
  mayEver(agent: string, action: Action): boolean {
    const rules = this.#concerning(agent, action);
    if (rules.some(({ denies, on }) => denies && on.length === 0)) return false;
    return this.#allowsUnruled(agent) || rules.some(({ denies }) => !denies);
  }

  /** What is decided, and by which rule. */
  explain(agent: string, action: Action, on: string): AccessDecision {
    const rule = this.#deciding(agent, action, on);
    if (rule === undefined) return { allowed: this.#allowsUnruled(agent), rule: undefined };
    return { allowed: !rule.denies, rule: rule.index };
  }

  #allowsUnruled(agent: string): boolean {
    return this.#allowsByDefault || agent === this.#authority;
  }

  #deciding(agent: string, action: Action, on: string): Compiled | undefined {
    return this.#concerning(agent, action).find((rule) => fits(rule.on, on));
  }

  #concerning(agent: string, action: Action): readonly Compiled[] {
    const name = `${action} ${agent}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const concerning = this.#rules.filter(
      ({ agents, actions }) => this.#binds(agents, agent) && actions?.has(action) !== false,
    );
    // Names are for agents to choose, so the table has to be bounded.
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(name, concerning);
    return concerning;
  }

  /** A rule for everybody is none for the authority. */
  #binds(agents: readonly Pattern[], agent: string): boolean {
    return agent === this.#authority && agents.length === 0 ? false : fits(agents, agent);
  }
}

const RULES: ReadonlySet<string> = new Set<keyof AccessRules>(['default', 'rules']);
const RULE: ReadonlySet<string> = new Set<keyof AccessRule>(['effect', 'agents', 'actions', 'on']);

/** No patterns are all. */
function fits(patterns: readonly Pattern[], name: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => pattern.matches(name));
}

function compileRule(rule: AccessRule, index: number, actions: readonly string[]): Compiled {
  const where = `rules[${index}]`;
  if (typeof rule !== 'object' || rule === null) throw misuse(where, 'an object', rule);
  refuseUnknown(rule, RULE, where);
  const named = rule.actions === undefined ? undefined : readList(`${where}.actions`, rule.actions);
  for (const action of named ?? []) {
    if (actions.includes(action)) continue;
    throw misuse(`${where}.actions`, `of ${actions.join(', ')}`, action);
  }
  return {
    index,
    denies: readEffect(`${where}.effect`, rule.effect) === 'deny',
    agents: readPatterns(`${where}.agents`, rule.agents),
    actions: named && new Set(named),
    on: readPatterns(`${where}.on`, rule.on),
  };
}

function readPatterns(where: string, given: string | readonly string[] | undefined): Pattern[] {
  return given === undefined ? [] : readList(where, given).map(compilePattern);
}

/** An empty list would fit nobody, or everybody: both have been meant by somebody. */
function readList(where: string, given: string | readonly string[]): readonly string[] {
  const list = typeof given === 'string' ? [given] : given;
  if (Array.isArray(list) && list.length > 0) return list;
  throw misuse(where, 'a string or a list of at least one', given);
}

function readEffect(where: string, effect: AccessEffect): AccessEffect {
  if (effect === 'allow' || effect === 'deny') return effect;
  throw misuse(where, "'allow' or 'deny'", effect);
}
