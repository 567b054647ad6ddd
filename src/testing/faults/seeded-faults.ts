import { misuse } from '../../kernel/errors.ts';
import type { FaultPlan, FaultPoint, FaultTarget, HandlerFault } from '../../kernel/fault-plan.ts';
import { compilePattern, type Pattern } from '../../message/pattern.ts';
import type { StoreCall } from '../faulty-store.ts';
import { checkRule } from './check-rule.ts';
import { Die, type Strike } from './die.ts';
import { InjectedFaultError } from './errors.ts';
import type { AnyRule, FaultKind, FaultRule } from './rule.ts';

/** A fault that was injected. */
export interface InjectedFault {
  /**
   * Names the fault within its seed: a run with another order of the lanes has the same faults
   * under the same names, as far as the same things happen in it.
   */
  readonly id: string;
  readonly fault: FaultKind;
  /** The place of its rule in the list of rules. */
  readonly rule: number;
  /** Virtual milliseconds since the test bus was made. */
  readonly atMs: number;
  /** What befell whom, in words, as the transcript has it. */
  readonly text: string;
}

/** How {@link SeededFaults} draws. */
export interface SeededFaultsOptions {
  readonly seed: number;
  /** Ids of the faults to inject; the others are drawn and left out. @default all */
  readonly only?: Iterable<string> | undefined;
}

/** What befalls a call of a store. */
export interface StoreStrike {
  readonly when: 'before' | 'after';
  readonly hangs: boolean;
}

/** Faults as rules and a seed have them. */
export class SeededFaults implements FaultPlan {
  readonly label: string;
  readonly rules: readonly FaultRule[];
  /** Hears of each fault when it is injected. */
  onInjected: ((fault: InjectedFault) => void) | undefined = undefined;
  readonly #injected: InjectedFault[] = [];
  readonly #dice: readonly PlacedDie[];
  readonly #only: ReadonlySet<string> | undefined;
  readonly #jumps: readonly Jump[];
  #now = (): number => 0;

  constructor(rules: readonly FaultRule[], { seed, only }: SeededFaultsOptions) {
    if (!Array.isArray(rules)) throw misuse('faults', 'an array of rules', rules);
    this.rules = rules;
    this.label = `${rules.length} rules of faults, seed ${seed}`;
    this.#dice = rules.map((rule, at) => new PlacedDie(checkRule(rule, at), at, seed));
    this.#only = only === undefined ? undefined : new Set(only);
    this.#jumps = this.#of('clock-jump').map(readJump);
  }

  /** What was injected so far, in its order. */
  get injected(): readonly InjectedFault[] {
    return this.#injected;
  }

  attach(now: () => number): void {
    this.#now = now;
  }

  drops(copy: FaultTarget): boolean {
    const strike = this.#strike('drop', copy);
    if (strike !== undefined) this.#note(strike, spell(copy));
    return strike !== undefined;
  }

  delays(copy: FaultTarget): number {
    const strike = this.#strike('delay', copy);
    return strike === undefined ? 0 : this.#noteMs(strike, `${spell(copy)} by`);
  }

  duplicates(copy: FaultTarget): number | undefined {
    const strike = this.#strike('duplicate', copy);
    return strike && this.#noteMs(strike, `${spell(copy)} after`, 0);
  }

  handling(copy: FaultTarget): HandlerFault | undefined {
    // Each is asked, also when another has struck: what one says does not depend on the others.
    const crash = this.#strike('crash', copy);
    const hang = this.#strike('hang', copy);
    const slow = this.#strike('slow', copy);
    if (crash !== undefined) return this.#crash(crash, copy);
    if (hang !== undefined) {
      this.#note(hang, spell(copy));
      return { fault: 'hang' };
    }
    if (slow === undefined) return undefined;
    return { fault: 'slow', delayMs: this.#noteMs(slow, `${spell(copy)} by`) };
  }

  at(point: FaultPoint, occasion: FaultTarget | string): number {
    const dice = this.#of('buggify').filter(({ rule }) => rule.points?.includes(point) ?? true);
    const strike = this.#roll(dice, `${point} ${nameOf(occasion)}`);
    if (strike === undefined) return 0;
    const where = typeof occasion === 'string' ? occasion : spell(occasion);
    if (point === 'retry') return this.#noteMs(strike, `a longer wait before a retry: ${where} by`);
    if (point === 'timer') return this.#noteMs(strike, `timers are late: ${where} by`);
    this.#note(strike, `a full mailbox: ${where}`);
    return 1;
  }

  wallShift(): number {
    if (this.#jumps.length === 0) return 0;
    const now = this.#now();
    let shift = 0;
    for (const jump of this.#jumps) {
      if (now < jump.atMs || !this.#isWanted(jump.strike)) continue;
      if (!jump.noted) this.#note(jump.strike, `of ${jump.byMs} ms`);
      jump.noted = true;
      shift += jump.byMs;
    }
    return shift;
  }

  /** What befalls a call of a store; `nth`: the how many-th of its name. */
  storing(store: string, call: StoreCall, nth: number): StoreStrike | undefined {
    const dice = this.#of('store-failure').filter(({ rule }) => {
      if (rule.store !== undefined && rule.store !== store) return false;
      return rule.on === undefined ? call !== 'close' : rule.on === call;
    });
    const strike = this.#roll(dice, `${store} ${call}`);
    if (strike === undefined) return undefined;
    const { when = 'before', hangs = false } = strike.rule;
    const how = hangs ? 'never answers' : 'fails';
    this.#note(strike, `${call} ${nth} of ${store} ${how}, ${when} it is done`);
    return { when, hangs };
  }

  #crash(strike: Strike, copy: FaultTarget): HandlerFault {
    const { when = 'before' } = strike.rule;
    this.#note(strike, `${spell(copy)}, ${when} its work`);
    const error = new InjectedFaultError(`${copy.agent} crashed at ${copy.topic}`);
    return { fault: 'crash', when, error };
  }

  #strike(fault: FaultKind, copy: FaultTarget): Strike | undefined {
    const dice = this.#of(fault);
    if (dice.length === 0) return undefined;
    const fitting = dice.filter((die) => die.fits(copy));
    return this.#roll(fitting, nameOf(copy));
  }

  /** Rolls all of them, so that none has missed an occasion; the first that strikes counts. */
  #roll(dice: readonly PlacedDie[], occasion: string): Strike | undefined {
    let first: Strike | undefined;
    for (const die of dice) {
      const strike = die.roll(occasion);
      if (first === undefined && strike !== undefined && this.#isWanted(strike)) first = strike;
    }
    return first;
  }

  #isWanted({ id }: Strike): boolean {
    return this.#only?.has(id) !== false;
  }

  #of(fault: FaultKind): readonly PlacedDie[] {
    return this.#dice.filter(({ rule }) => rule.fault === fault);
  }

  #noteMs(strike: Strike, text: string, least = 1): number {
    const { minMs = least } = strike.rule;
    const { maxMs = Math.max(minMs, least === 0 ? minMs : 1_000) } = strike.rule;
    const ms = minMs + Math.floor(strike.random() * (maxMs - minMs + 1));
    this.#note(strike, `${text} ${ms} ms`);
    return ms;
  }

  #note({ id, rule }: Strike, what: string): void {
    const at = Number(id.slice(0, id.indexOf('.')));
    const { fault } = rule;
    const injected = { id, fault, rule: at, atMs: this.#now(), text: `${fault} ${what}` };
    this.#injected.push(injected);
    this.onInjected?.(injected);
  }
}

/** A die that knows which deliveries its rule fits. */
class PlacedDie extends Die {
  readonly #topic: Pattern | undefined;
  readonly #agent: Pattern | undefined;

  constructor(rule: AnyRule, index: number, seed: number) {
    super(rule, index, seed);
    this.#topic = rule.topic === undefined ? undefined : compilePattern(rule.topic);
    this.#agent = rule.agent === undefined ? undefined : compilePattern(rule.agent);
  }

  fits({ topic, agent }: FaultTarget): boolean {
    if (this.#topic === undefined ? topic.startsWith('$') : !this.#topic.matches(topic))
      return false;
    return this.#agent?.matches(agent) !== false;
  }
}

interface Jump {
  readonly strike: Strike;
  readonly byMs: number;
  readonly atMs: number;
  noted: boolean;
}

function readJump(die: Die): Jump {
  const { byMs = 0, atMs = 0, withinMs = 0 } = die.rule;
  const strike = die.roll('clock') as Strike;
  return { strike, byMs, atMs: atMs + Math.floor(strike.random() * withinMs), noted: false };
}

/** What stays the same in another order: who says what to whom, and not the id. */
function nameOf(occasion: FaultTarget | string): string {
  if (typeof occasion === 'string') return occasion;
  return `${occasion.from} ${occasion.agent} ${occasion.topic}`;
}

function spell({ id, topic, from, agent }: FaultTarget): string {
  return `${id} ${topic} ${from} -> ${agent}`;
}
