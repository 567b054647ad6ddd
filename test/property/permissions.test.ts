// R:E5 R:A1
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Agent,
  type Context,
  type Message,
  MessageBus,
  type PermissionRule,
  type Receipt,
} from '../../src/index.ts';
import { randomChoice } from '../../src/testing/random-choice.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { expectBalanced } from '../flow/books.ts';

const NAMES = ['a', 'b', 'c'] as const;
const TOPICS = ['x.1', 'x.2', 'y'] as const;
const PATTERNS = ['**', 'x.*', ...TOPICS] as const;
const ACTIONS = ['publish', 'send', 'request', 'serve', 'subscribe'] as const;
type Action = (typeof ACTIONS)[number];

interface Rules {
  readonly default: 'allow' | 'deny';
  readonly rules: readonly PermissionRule[];
}

const agents = fc.option(fc.uniqueArray(fc.constantFrom(...NAMES, '$host'), { minLength: 1 }), {
  nil: undefined,
});
const rule = fc
  .record({
    effect: fc.constantFrom('allow' as const, 'deny' as const),
    agents,
    actions: fc.option(fc.uniqueArray(fc.constantFrom(...ACTIONS), { minLength: 1 }), {
      nil: undefined,
    }),
    on: fc.option(fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1 }), {
      nil: undefined,
    }),
  })
  .map((one) => one as PermissionRule);
const ruleSet: fc.Arbitrary<Rules> = fc.record({
  default: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
  rules: fc.array(rule, { maxLength: 4 }),
});

const by = fc.constantFrom(...NAMES, '$host' as const);
const topic = fc.constantFrom(...TOPICS);
const delayMs = fc.constantFrom(0, 0, 0, 5);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      by,
      topic,
      delayMs,
      retain: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      by,
      to: fc.constantFrom(...NAMES),
      topic,
      delayMs,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('request' as const), by, topic }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('rules' as const), rules: ruleSet }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('add' as const), rule }) },
  { weight: 1, arbitrary: fc.constant({ do: 'take back' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'redrive' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('replay' as const), name: fc.constantFrom(...NAMES) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('pause' as const, 'resume' as const),
      name: fc.constantFrom(...NAMES),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(20) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const pattern = fc.constantFrom('**', '**', '**', ...PATTERNS);
const how = fc.constantFrom(
  'plain',
  'keyed',
  'retries',
  'batch',
  'group',
  'group',
  'pulls',
  'rated',
);
const program = fc.record({
  rules: ruleSet,
  seed: fc.nat(1_000),
  /** Which rules a handler puts in force, by the count of what was handled. */
  within: fc.array(fc.option(ruleSet, { nil: undefined, freq: 6 }), { maxLength: 12 }),
  hears: fc.tuple(how, how, how),
  patterns: fc.tuple(pattern, pattern, pattern),
  steps: fc.array(step, { minLength: 3, maxLength: 25 }),
});
type Program = typeof program extends fc.Arbitrary<infer P> ? P : never;

/** The rules in the plainest words. */
function mayBe(rules: Rules, agent: string, action: Action, on: string): boolean {
  const fits = (pattern: string): boolean =>
    pattern === '**' || pattern === on || (pattern === 'x.*' && on.startsWith('x.'));
  const fitting = rules.rules.filter(
    (one) =>
      (one.agents === undefined ? agent !== '$host' : one.agents.includes(agent)) &&
      (one.actions === undefined || one.actions.includes(action)) &&
      (one.on === undefined || (one.on as readonly string[]).some(fits)),
  );
  if (fitting.some(({ effect }) => effect === 'deny')) return false;
  return fitting.length > 0 || rules.default === 'allow' || agent === '$host';
}

/** One bus under changing rules, and whatever was done that they forbid. */
class Play {
  readonly wrongs: string[] = [];
  readonly #env: SimEnv;
  readonly #bus: MessageBus;
  readonly #agents = new Map<string, Agent>();
  readonly #program: Program;
  #rules: Rules;
  #takeBack: (() => void) | undefined;
  #added: PermissionRule | undefined;
  readonly #said: string[] = [];
  #handled = 0;
  #asked = 0;
  #answered = 0;

  constructor(given: Program, direct: boolean) {
    this.#program = given;
    this.#rules = given.rules;
    this.#env = new SimEnv({ choose: randomChoice(given.seed) });
    if (direct) Object.defineProperty(this.#env, 'direct', { value: true });
    const mailbox = { capacity: 4, overflow: 'wait' } as const;
    this.#bus = new MessageBus({
      env: this.#env,
      graceMs: 10,
      mailbox,
      permissions: given.rules,
      onFault: (error) => void this.wrongs.push(`fault ${error}`),
    });
    // Whoever listens changes the rules for a moment: all may listen, so that all can be filtered.
    this.#bus.permissions.set({ default: 'allow' });
    NAMES.forEach((name, i) => {
      this.#settle(name, given.hears[i] as string, given.patterns[i] as string);
    });
    this.#bus.subscribe('**', (message) => this.#hear('$host', 'subscribe', message));
    this.#bus.permissions.set(given.rules);
  }

  async run(): Promise<void> {
    for (const one of this.#program.steps) {
      await this.#take(one);
      expectBalanced(this.#bus);
    }
    for (const agent of this.#agents.values()) agent.resume();
    await this.#env.advance(60_000);
    this.#checkEnd();
    const closed = this.#bus.close();
    await this.#env.advance(60_000);
    await closed;
    expectBalanced(this.#bus);
    if (this.#asked !== this.#answered) this.wrongs.push('a request has not settled');
  }

  // ---- who listens

  #settle(name: string, hearing: string, pattern: string): void {
    const agent = this.#bus.register(name);
    this.#agents.set(name, agent);
    const hear = (message: Message, context: Context): void => {
      this.#hear(name, 'subscribe', message);
      if (hearing === 'retries' && context.attempt === 1) throw new Error('Once more');
    };
    if (hearing === 'pulls') {
      void this.#pull(name, agent.messages(pattern));
      void this.#pull(name, agent.messages());
    } else if (hearing === 'batch') {
      const each = (some: readonly Message[]): void => {
        // They were handed over together: what the first of them changes comes too late for the rest.
        for (const one of some) this.#check(name, 'subscribe', one);
        this.#change();
      };
      agent.subscribeBatch(pattern, each, { batch: { max: 3, waitMs: 10 } });
    } else {
      agent.subscribe(pattern, hear, {
        ...(hearing === 'keyed' && { key: () => 'one' }),
        ...(hearing === 'group' && { group: 'shared' }),
        ...(hearing === 'rated' && { rateLimit: { limit: 1, perMs: 5 } }),
        ...(hearing === 'retries' && {
          retry: { maxAttempts: 2, baseMs: 5, jitter: 'none' as const },
        }),
      });
    }
    agent.serve(pattern, (message) => {
      this.#hear(name, 'serve', message);
      return name;
    });
  }

  async #pull(name: string, messages: AsyncIterable<Message>): Promise<void> {
    // Another may be a step behind: who pulls changes nothing, so that each gets it as it was given.
    for await (const message of messages) this.#check(name, 'subscribe', message);
  }

  #hear(name: string, action: Action, message: Message): void {
    this.#check(name, action, message);
    this.#change();
  }

  #check(name: string, action: Action, message: Message): void {
    if (!mayBe(this.#rules, name, action, message.topic)) {
      this.wrongs.push(`${name} may not ${action} ${message.topic}`);
    }
  }

  /** Some handlers change the rules. */
  #change(): void {
    const next = this.#program.within[this.#handled++];
    if (next !== undefined) this.#set(next);
  }

  // ---- what is done

  async #take(one: Step): Promise<void> {
    switch (one.do) {
      case 'publish':
        return this.#publish(one);
      case 'send':
        return this.#send(one);
      case 'request':
        return this.#request(one);
      case 'rules':
        return this.#set(one.rules);
      case 'add':
        return this.#add(one.rule);
      case 'take back':
        return this.#remove();
      case 'redrive':
        return void (await this.#bus.deadLetters.redrive({ reason: 'denied' }));
      case 'replay':
        return this.#replay(one.name);
      case 'advance':
        return this.#env.advance(one.ms);
      default:
        return void this.#agents.get(one.name)?.[one.do]();
    }
  }

  #publish({ by: name, topic: on, delayMs: ms, retain }: Extract<Step, { do: 'publish' }>): void {
    const allowed = mayBe(this.#rules, name, 'publish', on);
    const said = this.#say(() => this.#voice(name).publish(on, 1, { delayMs: ms, retain }));
    this.#compare(`${name} publishes ${on}`, allowed, said !== undefined);
    if (said === undefined || ms > 0) return;
    const expected = this.#hearers(name, on);
    const seen = said.recipients.toSorted();
    if (seen.join() !== expected.join()) this.wrongs.push(`${on} went to ${seen}, not ${expected}`);
  }

  /** All that match, but the speaker, and of a group whoever of the others may. */
  #hearers(from: string, on: string): string[] {
    const hears = (name: string): boolean =>
      name !== from && mayBe(this.#rules, name, 'subscribe', on);
    const found = new Set<string>(mayBe(this.#rules, '$host', 'subscribe', on) ? ['$host'] : []);
    const groups = new Set<string>();
    NAMES.forEach((name, i) => {
      const pattern = this.#program.patterns[i] as string;
      const matches = pattern === '**' || pattern === on || (pattern === 'x.*' && on !== 'y');
      if (!matches || !hears(name)) return;
      if (this.#program.hears[i] === 'group') groups.add(pattern);
      else found.add(name);
    });
    return [...found, ...[...groups].map(() => 'shared')].toSorted();
  }

  #send({ by: name, to, topic: on, delayMs: ms }: Extract<Step, { do: 'send' }>): void {
    const may = mayBe(this.#rules, name, 'send', on);
    const heard = ms > 0 || mayBe(this.#rules, to, 'subscribe', on);
    const said = this.#say(() => this.#voice(name).send(to, on, 1, { delayMs: ms }));
    this.#compare(`${name} sends ${on} to ${to}`, may && heard, said !== undefined);
  }

  #request({ by: name, topic: on }: Extract<Step, { do: 'request' }>): void {
    const may = mayBe(this.#rules, name, 'request', on);
    this.#asked++;
    const rules = this.#rules;
    const voice = this.#voice(name);
    voice.request(on, 1, { timeoutMs: 1_000 }).then(
      () => {
        this.#answered++;
        if (!may) this.wrongs.push(`${name} was answered ${on}`);
      },
      ({ code }: { code: string }) => {
        this.#answered++;
        if (!may && code !== 'TELLASK_DENIED' && rules === this.#rules) {
          this.wrongs.push(`${name} got ${code} for ${on}`);
        }
      },
    );
  }

  async #replay(name: string): Promise<void> {
    const agent = this.#agents.get(name) as Agent;
    const hear = (message: Message): void => this.#hear(name, 'subscribe', message);
    const listen = () => agent.subscribe('x.*', hear, { replay: true, lane: 'own' });
    const heard = this.#try(listen);
    await this.#env.settle();
    heard?.unsubscribe();
  }

  #set(rules: Rules): void {
    this.#takeBack = undefined;
    this.#rules = rules;
    this.#bus.permissions.set(rules);
    this.#checkQueued();
  }

  #add(one: PermissionRule): void {
    this.#rules = { ...this.#rules, rules: [...this.#rules.rules, one] };
    this.#added = one;
    this.#takeBack = this.#bus.permissions.add(one);
    this.#checkQueued();
  }

  #remove(): void {
    if (this.#takeBack === undefined) return;
    this.#rules = { ...this.#rules, rules: this.#rules.rules.filter((one) => one !== this.#added) };
    this.#takeBack();
    this.#takeBack = undefined;
  }

  #voice(name: string): Agent | MessageBus {
    return this.#agents.get(name) ?? this.#bus;
  }

  #say(say: () => Receipt): Receipt | undefined {
    const receipt = this.#try(say);
    if (receipt !== undefined) this.#said.push(receipt.id);
    return receipt;
  }

  /** What is refused for another reason than the rules is not what this is about. */
  #try<T>(say: () => T): T | undefined {
    try {
      return say();
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== 'TELLASK_DENIED') throw error;
      return undefined;
    }
  }

  #compare(what: string, expected: boolean, seen: boolean): void {
    if (expected !== seen) this.wrongs.push(`${what}: ${seen}, and should be ${expected}`);
  }

  /** No rule is in force that has not reached what waits. */
  #checkQueued(): void {
    for (const id of this.#said) {
      for (const { recipient, topic: on, status } of this.#bus.conversation(id).deliveries) {
        if (status === 'running' || recipient === 'shared') continue;
        const may = (action: Action): boolean => mayBe(this.#rules, recipient, action, on);
        if (!may('subscribe')) this.wrongs.push(`${on} still waits for ${recipient}`);
      }
    }
    for (const { to, topic: on, from } of this.#bus.pending()) {
      if (!mayBe(this.#rules, from, 'request', on)) this.wrongs.push(`${from} still asks ${on}`);
      if (!mayBe(this.#rules, to, 'serve', on)) this.wrongs.push(`${to} is still asked ${on}`);
    }
  }

  #checkEnd(): void {
    const { queued, waiting, retryWait, deferred, inFlight, pendingRequests } = this.#bus.inspect();
    const pulled = 2 * this.#program.hears.filter((one) => one === 'pulls').length;
    if (queued + waiting + retryWait + deferred + pendingRequests > 0 || inFlight > pulled) {
      this.wrongs.push(`left: ${JSON.stringify(this.#bus.inspect())}`);
    }
  }
}

describe.each([
  ['in any order', false],
  ['with the shortcut of production', true],
])('permissions that change while messages flow, %s', (_what, direct) => {
  it('let nobody handle what they forbid at that instant, and lose no delivery', async () => {
    await fc.assert(
      fc.asyncProperty(program, async (given) => {
        const play = new Play(given, direct);
        await play.run();
        expect(play.wrongs).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
