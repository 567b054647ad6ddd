import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Access, type AccessRules } from '../../src/access/rules.ts';

type Action = 'read' | 'write';
const ACTIONS: readonly Action[] = ['read', 'write'];
const access = (rules: AccessRules<Action>) => new Access<Action>(rules, ACTIONS);

describe('the access rules', () => {
  const office = access({
    default: 'deny',
    rules: [
      { effect: 'allow', agents: 'writer', on: 'doc.**' },
      { effect: 'allow', agents: ['editor', 'guest-*'], actions: 'read', on: 'doc.*' },
      { effect: 'deny', agents: 'guest-*', on: 'doc.secret' },
      { effect: 'allow', actions: ['read'], on: ['news.{a,b}'] },
    ],
  });

  // R:E5
  it.each([
    ['writer', 'write', 'doc.7', true, 0],
    ['writer', 'read', 'doc.7.draft', true, 0],
    ['writer', 'write', 'news.a', false, undefined],
    ['editor', 'read', 'doc.7', true, 1],
    ['editor', 'write', 'doc.7', false, undefined],
    ['editor', 'read', 'doc.7.draft', false, undefined],
    ['guest-1', 'read', 'doc.7', true, 1],
    ['guest-1', 'read', 'doc.secret', false, 2],
    ['nobody', 'read', 'news.b', true, 3],
    ['nobody', 'read', 'news.c', false, undefined],
    ['__proto__', 'read', 'news.a', true, 3],
  ] as const)('decide whether %s may %s %s', (agent, action, on, allowed, rule) => {
    expect(office.explain(agent, action, on)).toEqual({ allowed, rule });
    expect(office.allows(agent, action, on)).toBe(allowed);
  });

  it('let a deny win, wherever it stands', () => {
    const deny = { effect: 'deny', agents: 'a' } as const;
    const allow = { effect: 'allow', agents: 'a' } as const;

    expect(access({ default: 'allow', rules: [deny, allow] }).allows('a', 'read', 'x')).toBe(false);
    expect(access({ default: 'allow', rules: [allow, deny] }).allows('a', 'read', 'x')).toBe(false);
  });

  it('fall back to the default', () => {
    expect(access({ default: 'allow' }).allows('a', 'write', 'x')).toBe(true);
    expect(access({ default: 'deny' }).allows('a', 'write', 'x')).toBe(false);
  });

  it('do not let a wildcard stand for what is the library’s own', () => {
    const all = access({ default: 'deny', rules: [{ effect: 'allow', agents: '*', on: '**' }] });

    expect(all.allows('$host', 'read', 'x')).toBe(false);
    expect(all.allows('a', 'read', '$bus.closed')).toBe(false);
  });

  it.each([
    ['no default', {}],
    ['a default that is none', { default: 'maybe' }],
    ['rules that are no list', { default: 'deny', rules: {} }],
    ['a rule that is none', { default: 'deny', rules: ['deny'] }],
    ['a mistyped field', { default: 'deny', rules: [{ effect: 'deny', agent: 'a' }] }],
    ['an unknown action', { default: 'deny', rules: [{ effect: 'deny', actions: 'fly' }] }],
    ['an empty list', { default: 'deny', rules: [{ effect: 'deny', agents: [] }] }],
    ['no effect', { default: 'deny', rules: [{ agents: 'a' }] }],
  ])('refuse %s', (_what, rules) => {
    expect(() => access(rules as never)).toThrow(TypeError);
  });

  it('say the same as looking at every rule each time', () => {
    const names = fc.constantFrom('a', 'b', 'c');
    const list = fc.option(fc.uniqueArray(names, { minLength: 1 }), { nil: undefined });
    const rule = fc.record({
      effect: fc.constantFrom('allow', 'deny'),
      agents: list,
      on: list,
      actions: fc.option(fc.constantFrom(...ACTIONS), { nil: undefined }),
    });
    const question = fc.tuple(names, fc.constantFrom(...ACTIONS), names);
    const effect = fc.constantFrom<'allow' | 'deny'>('allow', 'deny');

    fc.assert(
      fc.property(effect, fc.array(rule), fc.array(question), (standard, rules, questions) => {
        const compiled = access({ default: standard, rules } as AccessRules<Action>);
        for (const [agent, action, on] of questions) {
          const fitting = rules.filter(
            (one) =>
              (one.agents ?? [agent]).includes(agent) &&
              (one.on ?? [on]).includes(on) &&
              (one.actions ?? action) === action,
          );
          const denied = fitting.some((one) => one.effect === 'deny');
          const expected = denied ? false : fitting.length > 0 || standard === 'allow';
          expect(compiled.allows(agent, action, on)).toBe(expected);
        }
      }),
    );
  });
});
