import { misuse } from '../../kernel/errors.ts';
import { readCount } from '../../kernel/read-count.ts';
import { refuseUnknown } from '../../kernel/unknown-option.ts';
import { compilePattern } from '../../message/pattern.ts';
import type { AnyRule, FaultKind } from './rule.ts';

const CHANCE = ['probability', 'nth', 'max'] as const;
const PLACE = ['topic', 'agent', ...CHANCE] as const;
const RANGE = ['minMs', 'maxMs'] as const;

const OPTIONS: { readonly [K in FaultKind]: readonly (keyof AnyRule)[] } = {
  drop: PLACE,
  delay: [...PLACE, ...RANGE],
  duplicate: [...PLACE, ...RANGE],
  crash: [...PLACE, 'when'],
  hang: PLACE,
  slow: [...PLACE, ...RANGE],
  'store-failure': [...CHANCE, 'on', 'store', 'when', 'hangs'],
  'clock-jump': ['byMs', 'atMs', 'withinMs'],
  buggify: ['points', 'probability', 'max', ...RANGE],
};

const WORDS: Partial<Record<keyof AnyRule, readonly unknown[]>> = {
  when: ['before', 'after'],
  on: ['get', 'scan', 'read', 'commit', 'close'],
  hangs: [true, false],
};
const POINTS: readonly unknown[] = ['retry', 'overflow', 'timer'];

/** Refuses a rule that could not strike as it says. */
export function checkRule(given: unknown, at: number): AnyRule {
  const what = `faults[${at}]`;
  const rule = given as AnyRule;
  const known = Object.hasOwn(OPTIONS, rule?.fault) ? OPTIONS[rule.fault] : undefined;
  if (known === undefined) throw misuse(`${what}.fault`, oneOf(Object.keys(OPTIONS)), rule?.fault);
  refuseUnknown(rule, new Set(['fault', ...known]), `${what} (${rule.fault})`);
  checkNumbers(rule, what);
  checkWords(rule, what);
  if (rule.topic !== undefined) compilePattern(rule.topic);
  if (rule.agent !== undefined) compilePattern(rule.agent);
  return rule;
}

function checkNumbers(rule: AnyRule, what: string): void {
  const { probability, nth, max = Infinity, minMs, maxMs, atMs, withinMs, byMs } = rule;
  if (probability !== undefined && !(probability >= 0 && probability <= 1))
    throw new RangeError(misuse(`${what}.probability`, '0 to 1', probability).message);
  if (probability !== undefined && nth !== undefined)
    throw new TypeError(`${what} has a probability and nth: either is chance or none`);
  if (nth !== undefined) readCount(`${what}.nth`, nth, 1);
  if (max !== Infinity) readCount(`${what}.max`, max, 0);
  for (const [name, ms] of Object.entries({ minMs, maxMs, atMs, withinMs })) {
    if (ms !== undefined && !(ms >= 0 && ms < Infinity))
      throw new RangeError(misuse(`${what}.${name}`, 'milliseconds from 0', ms).message);
  }
  if (minMs !== undefined && maxMs !== undefined && maxMs < minMs)
    throw new RangeError(`${what}.maxMs is below minMs`);
  if (rule.fault === 'clock-jump' && !Number.isFinite(byMs))
    throw misuse(`${what}.byMs`, 'milliseconds', byMs);
}

function checkWords(rule: AnyRule, what: string): void {
  for (const [name, words] of Object.entries(WORDS)) {
    const word = rule[name as keyof AnyRule];
    if (word !== undefined && !words.includes(word))
      throw misuse(`${what}.${name}`, oneOf(words), word);
  }
  for (const point of rule.points ?? []) {
    if (!POINTS.includes(point)) throw misuse(`${what}.points`, oneOf(POINTS), point);
  }
}

function oneOf(words: readonly unknown[]): string {
  return `one of ${words.join(', ')}`;
}
