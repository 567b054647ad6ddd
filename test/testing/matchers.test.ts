import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  assertConserved,
  assertDeadLettered,
  assertDelivered,
  assertHandledInOrder,
  assertNoPendingWork,
  createTestBus,
  ExpectationError,
  type TellaskMatchers,
  type TestBus,
  tellaskMatchers,
} from '../../src/testing.ts';

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: as vitest has it
  interface Matchers<T = any> extends TellaskMatchers<T> {}
}

expect.extend(tellaskMatchers);

/** A desk that has handled two drafts and let one die. */
async function desk(): Promise<TestBus> {
  const t = createTestBus();
  t.bus.register('editor').subscribe('draft.*', ({ payload }) => {
    if (payload === 'bad') throw new Error('unreadable');
  });
  t.bus.publish('draft.1', { pages: 1, title: 'Tea' });
  t.bus.publish('draft.2', { pages: 2 });
  t.bus.publish('draft.3', 'bad');
  await t.settle();
  return t;
}

const HANDLED = [
  '  m1 event draft.1 from $host to editor with {"pages":1,"title":"Tea"}',
  '  m2 event draft.2 from $host to editor with {"pages":2}',
];
const LETTER =
  '  mdl1 draft.3 (m3) from $host to editor: handler-error after 1 attempt: unreadable';

/** Every matcher, what passes, and what fails with which text. */
const TABLE: readonly {
  readonly name: keyof TellaskMatchers;
  readonly passes: readonly unknown[];
  readonly fails: readonly unknown[];
  readonly text: readonly string[];
  readonly check: (t: TestBus, arg: never) => void;
}[] = [
  {
    name: 'toHaveDelivered',
    passes: ['draft.1', { topic: 'draft.*', to: 'editor', payload: { pages: 2 } }],
    fails: [{ topic: 'draft.*', to: 'writer', payload: { pages: 2 } }],
    text: ['Expected draft.* with {"pages":2} to writer to be delivered. There was:', ...HANDLED],
    check: assertDelivered,
  },
  {
    name: 'toHaveHandledInOrder',
    passes: [['draft.1', 'draft.2'], ['draft.*'], []],
    fails: [['draft.2', 'draft.1']],
    text: [
      'Expected draft.2, then draft.1 to be handled (draft.1 did not come next). There was:',
      ...HANDLED,
    ],
    check: assertHandledInOrder,
  },
  {
    name: 'toHaveDeadLettered',
    passes: [undefined, { topic: 'draft.*', reason: 'handler-error' }],
    fails: [{ reason: 'expired' }],
    text: ['Expected a dead letter with {"reason":"expired"}. There was:', LETTER],
    check: assertDeadLettered,
  },
];

describe.each(TABLE)('$name', ({ name, passes, fails, text, check }) => {
  it.each(passes.map((arg) => [arg]))('passes with %j', async (arg) => {
    const t = await desk();

    expect(tellaskMatchers[name](t, arg as never).pass).toBe(true);
    check(t, arg as never);
  });

  it.each(fails.map((arg) => [arg]))('fails with %j, and says what there was', async (arg) => {
    const t = await desk();

    const result = tellaskMatchers[name](t, arg as never);

    expect(result.pass).toBe(false);
    expect(result.message()).toBe(text.join('\n'));
    expect(() => check(t, arg as never)).toThrow(ExpectationError);
    expect(() => check(t, arg as never)).toThrow(text.join('\n'));
  });
});

describe('the matchers', () => {
  it('extend the expect of vitest, negated too', async () => {
    const t = await desk();

    expect(t).toHaveDelivered({ topic: 'draft.1', payload: { pages: 1 } });
    expect(t).not.toHaveDelivered('draft.3');
    expect(t).toHaveHandledInOrder(['draft.1', 'draft.2']);
    expect(t).toHaveDeadLettered({ topic: 'draft.3' });
    expect(t).toConserveMessages();
    expect(t).toHaveNoPendingWork();
    expect(() => expect(t).not.toHaveDelivered('draft.2')).toThrow(
      ['Expected not draft.2 to be delivered. There was:', ...HANDLED].join('\n'),
    );
    await t.close();
  });

  it('say so when they are given the bus and not the test bus', () => {
    const { bus } = createTestBus();

    for (const wrong of [bus, undefined, 5]) {
      const text = 'What is looked at must be what createTestBus returned (not its bus)';
      expect(() => expect(wrong).toHaveDelivered('a')).toThrow(text);
      expect(() => assertConserved(wrong as never)).toThrow(text);
    }
  });

  it('say what is pending', async () => {
    const t = createTestBus({ leaks: 'allow' });
    t.bus.publish('later', 1, { delayMs: 5 });

    expect(() => expect(t).toHaveNoPendingWork()).toThrow(
      'Expected no pending work. There was:\n  later (m1), said by $host, is due at 5 ms',
    );
    expect(() => assertNoPendingWork(t)).toThrow('Expected no pending work.');
    assertConserved(t);
    await t.close();
  });

  it('say what is not conserved', () => {
    const invariants = { check: () => {}, violations: () => ['2 admitted, but 1 handled = 1'] };

    expect(() => assertConserved({ ...createTestBus(), invariants } as never)).toThrow(
      'Expected every message in exactly one state, with one outcome, in order. ' +
        'There was:\n  2 admitted, but 1 handled = 1',
    );
  });
});

describe('under node:test', () => {
  it('a failed assertion is a failed test that says what there was', () => {
    const { status, stdout } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--test', '--test-reporter=tap', 'test/testing/under-node-test.ts'],
      { encoding: 'utf8', env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
    );

    expect(status).toBe(1);
    expect(stdout).toContain('ok 1 - delivers');
    expect(stdout).toContain('not ok 2 - says what there was');
    expect(stdout).toContain('Expected other to be delivered. There was:');
    expect(stdout).toContain('m1 event draft from $host to editor with 1');
    expect(stdout).toContain('not ok 3 - names what is left');
    expect(stdout).toContain('later (m1), said by $host, is due at 5 ms');
  });
});
