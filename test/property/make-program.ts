import type { BusyPolicy } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import {
  type Act,
  AGENTS,
  type Behaviour,
  type Box,
  type Ending,
  type Hearing,
  HOST,
  KEYS,
  PATTERNS,
  type Program,
  QUESTIONS,
  type Saying,
  type Step,
  TOPICS,
} from './program.ts';

const ENDINGS: readonly Ending[] = [
  'return',
  'falsy',
  'throw',
  'throw-text',
  'throw-nothing',
  'throw-rejected',
  'async',
  'async-throw',
  'wait',
  'wait-throw',
  'until-abort',
  'hang',
];
const ACTS = [
  'publish',
  'send',
  'request',
  'reply',
  'forge',
  'unsubscribe',
  'close',
  'late-publish',
] as const;
const CAPACITIES = [0, 1, 1, 2, 3, 10];
const OVERFLOWS = ['reject', 'drop-oldest', 'drop-newest', 'wait'] as const;
const SLOW: readonly Ending[] = ['wait', 'wait', 'wait-throw', 'until-abort', 'hang'];
const POLICIES: readonly BusyPolicy[] = ['latest', 'interrupt', 'steer', 'reject'];
const PAUSES = [1, 5, 20, 60, 200, 1_000];

/** Makes the program of a seed. Its weights are drawn first, so that programs differ strongly. */
export function makeProgram(seed: number): Program {
  return new Maker(seed).program();
}

class Maker {
  readonly #random: () => number;
  readonly #rarity: Record<string, number>;
  readonly #endings: readonly number[];
  readonly #acts: readonly number[];
  readonly #verbs: readonly number[];

  constructor(seed: number) {
    this.#random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995);
    // A cube makes most things rare in most programs, and each of them frequent in some.
    const rarity = (): number => this.#random() ** 3;
    this.#rarity = Object.fromEntries(
      [
        ...['retry', 'inPlace', 'keyed', 'rated', 'group', 'replay', 'echo', 'own', 'acts'],
        ...['priority', 'ttl', 'delay', 'dedupe', 'retain', 'place', 'deep', 'small', 'timeout'],
        ...['busy', 'outbox'],
      ].map((name) => [name, rarity()]),
    );
    this.#endings = ENDINGS.map((_, i) => rarity() + (i === 0 ? 0.5 : 0));
    this.#acts = ACTS.map((act) => rarity() + (act === 'reply' ? 0.3 : 0));
    this.#verbs = VERBS.map(([, weight]) => weight * rarity());
  }

  program(): Program {
    const steps: Step[] = [];
    const agents = 1 + this.#below(AGENTS.length);
    for (let who = 0; who < agents; who++) steps.push(this.#register(who));
    for (let i = this.#below(3); i >= 0; i--) steps.push(this.#subscribe());
    if (this.#random() < 0.6) steps.push(this.#serve());
    if (this.#random() < 0.15) steps.push(...this.#crowd());
    if (this.#random() < 0.15) steps.push(...this.#rush());
    if (this.#random() < 0.05) steps.push(...this.#selfish());
    for (let left = 4 + this.#below(20); left > 0; left--) steps.push(this.#step());
    // Most come to rest, some are closed in the middle of their work.
    if (this.#random() < 0.6) steps.push({ do: 'advance', ms: 3_000 });
    const mode = this.#random() < 0.5 ? 'drain' : 'abort';
    steps.push({ do: 'close', mode, timeoutMs: this.#pickOne([0, 20, 300]) });
    return steps;
  }

  /** Many ask one busy responder about one key, and not all of them wait for the end. */
  #crowd(): Step[] {
    const plain = this.#serve() as Extract<Step, { do: 'serve' }>;
    const { behaviour, hearing, topic } = plain;
    const register = this.#register(0) as Extract<Step, { do: 'register' }>;
    const box = { ...register.box, concurrency: 3, capacity: 10 };
    const busy = { ...behaviour, ending: 'wait', waitMs: 100, fails: 0 } as const;
    const serve = { ...plain, who: 0, hearing: { ...hearing, keyed: true }, behaviour: busy };
    const asks = Array.from({ length: 3 + this.#below(3) }, () => {
      const ask = this.#request() as Extract<Step, { do: 'request' }>;
      return { ...ask, who: HOST, to: 0, topic, say: { ...ask.say, key: 0 } };
    });
    return [{ do: 'leave', who: 0 }, { ...register, box }, serve, ...asks];
  }

  /** Many messages of one key come while its handler is at work, and others fill the mailbox. */
  #rush(): Step[] {
    const register = this.#register(0) as Extract<Step, { do: 'register' }>;
    const small = { capacity: 1 + this.#below(3), concurrency: 1 + this.#below(2) };
    const calm = this.#subscribe() as Extract<Step, { do: 'subscribe' }>;
    const hearing = { ...calm.hearing, group: false, own: undefined, keyed: false };
    const busy = { ...hearing, busy: this.#pickOne(POLICIES) };
    const behaviour = { ...calm.behaviour, ending: this.#pickOne(SLOW), waitMs: 10 };
    const says = Array.from({ length: 4 + this.#below(5) }, (): Step => {
      const draw = this.#random();
      if (draw < 0.3) return { do: 'steps', count: 1 + this.#below(3) };
      const topic = draw < 0.5 ? 2 : 0;
      return { do: 'publish', who: HOST, topic, say: { ...this.#say(), key: 0 } };
    });
    return [
      { do: 'leave', who: 0 },
      { ...register, box: { ...register.box, ...small } },
      { ...calm, who: 0, pattern: 0, hearing: busy, behaviour },
      { ...calm, who: 0, pattern: 4, hearing },
      ...says,
    ];
  }

  /** A handler says at once what interrupts it. */
  #selfish(): Step[] {
    const plain = this.#subscribe() as Extract<Step, { do: 'subscribe' }>;
    const hearing = { ...plain.hearing, attempts: 1, own: undefined, outbox: undefined };
    const busy = { ...hearing, busy: 'interrupt', group: false, rated: false } as const;
    const acts = [{ act: 'send', to: 0, topic: 0 }] as const;
    const say = { ...this.#say(), depth: 2 };
    return [
      { ...plain, who: 0, pattern: 0, hearing: busy, behaviour: { ...plain.behaviour, acts } },
      { do: 'publish', who: HOST, topic: 0, say },
    ];
  }

  #step(): Step {
    if (this.#random() < 0.45) return this.#speak();
    return this.#pick(VERBS, this.#verbs)[2](this.tools);
  }

  #speak(): Step {
    const kind = this.#random();
    if (kind < 0.4)
      return { do: 'publish', who: this.#who(), topic: this.#topic(), say: this.#say() };
    if (kind < 0.8) return this.#send();
    return this.#request();
  }

  /** What the table of verbs draws with. */
  readonly tools: Tools = {
    below: (n) => this.#below(n),
    who: () => this.#agent(),
    register: () => this.#register(this.#agent()),
    subscribe: () => this.#subscribe(),
    serve: () => this.#serve(),
    pause: () => PAUSES[this.#below(PAUSES.length)] as number,
  };

  #register(who: number): Step {
    return { do: 'register', who, box: this.#box() };
  }

  #box(): Box {
    const small = this.#random() < 0.2 + this.#rare('small');
    return {
      capacity: small ? (CAPACITIES[this.#below(CAPACITIES.length)] as number) : 100,
      overflow: OVERFLOWS[this.#below(4)] as (typeof OVERFLOWS)[number],
      concurrency: this.#random() < 0.6 ? 1 : 1 + this.#below(3),
      ageingLimit: this.#random() < 0.8 ? 16 : this.#below(3),
      onHang:
        this.#random() < 0.7 ? 'release' : ((['hold', 'stop'] as const)[this.#below(2)] as 'hold'),
    };
  }

  #subscribe(): Step {
    const who = this.#who();
    const hearing = this.#hearing(who);
    const pattern = this.#below(PATTERNS.length);
    return { do: 'subscribe', who, pattern, hearing, behaviour: this.#behaviour() };
  }

  #serve(): Step {
    const drawn = this.#hearing(HOST);
    // Who asks wants an answer, and a message that steers has none.
    const busy = drawn.busy === 'steer' ? 'latest' : drawn.busy;
    const hearing = { ...drawn, busy, keyed: this.#random() < 0.3 };
    const topic = this.#below(QUESTIONS.length);
    return { do: 'serve', who: this.#agent(), topic, hearing, behaviour: this.#behaviour() };
  }

  #hearing(who: number): Hearing {
    return {
      attempts: this.#chance('retry') ? 2 + this.#below(2) : 1,
      baseMs: this.#pickOne([0, 1, 20, 200]),
      inPlace: this.#chance('inPlace'),
      keyed: this.#chance('keyed'),
      busy: this.#chance('busy') ? this.#pickOne(POLICIES) : 'queue',
      rated: this.#chance('rated'),
      timeoutMs: this.#chance('timeout') ? this.#pickOne([0, 5, 50]) : 1_000,
      outbox: this.#chance('outbox') ? this.#random() < 0.5 : undefined,
      group: this.#chance('group'),
      replay: this.#chance('replay'),
      echo: this.#chance('echo'),
      own: who === HOST || this.#chance('own') ? this.#box() : undefined,
    };
  }

  #behaviour(): Behaviour {
    const count = this.#chance('acts') ? 1 + this.#below(2) : 0;
    return {
      ending: this.#pick(ENDINGS, this.#endings),
      acts: Array.from({ length: count }, () => this.#act()),
      fails: this.#random() < 0.3 ? 1 + this.#below(2) : 0,
      waitMs: this.#pickOne([0, 1, 10, 100]),
    };
  }

  #act(): Act {
    const act = this.#pick(ACTS, this.#acts);
    if (act === 'publish') return { act, topic: this.#topic(), priority: this.#priority() };
    if (act === 'send') return { act, to: this.#agent(), topic: this.#topic() };
    if (act !== 'request') return { act };
    const awaits = this.#random() < 0.6;
    return { act, topic: this.#below(QUESTIONS.length), timeoutMs: this.#limit(), awaits };
  }

  #send(): Step {
    const reply = this.#random() < 0.05;
    const to = this.#agent();
    return { do: 'send', who: this.#who(), to, topic: this.#topic(), reply, say: this.#say() };
  }

  #request(): Step {
    return {
      do: 'request',
      who: this.#who(),
      to: this.#random() < 0.2 ? this.#agent() : undefined,
      topic: this.#below(QUESTIONS.length),
      timeoutMs: this.#limit(),
      signal: this.#random() < 0.3,
      say: this.#say(),
    };
  }

  #say(): Saying {
    return {
      priority: this.#priority(),
      ttlMs: this.#chance('ttl') ? this.#pickOne([0, 1, 15, 100]) : undefined,
      delayMs: this.#chance('delay') ? this.#pickOne([1, 10, 500]) : undefined,
      dedupe: this.#chance('dedupe'),
      retain: this.#chance('retain'),
      placeMs: this.#chance('place') ? this.#pickOne([1, 30]) : undefined,
      depth: this.#chance('deep') ? 2 : 1,
      key: this.#random() < 0.5 ? 0 : this.#below(KEYS.length),
    };
  }

  #priority(): number {
    return this.#chance('priority') ? this.#below(11) : 5;
  }

  #limit(): number {
    return this.#pickOne([0, 1, 10, 50, 500]);
  }

  #topic(): number {
    return this.#below(TOPICS.length);
  }

  #agent(): number {
    return this.#below(AGENTS.length);
  }

  #who(): number {
    return this.#random() < 0.5 ? HOST : this.#agent();
  }

  #rare(name: string): number {
    return this.#rarity[name] as number;
  }

  #chance(name: string): boolean {
    return this.#random() < this.#rare(name);
  }

  #pickOne<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T;
  }

  #pick<T>(items: readonly T[], weights: readonly number[]): T {
    let left = this.#random() * weights.reduce((sum, weight) => sum + weight, 0);
    for (let i = 0; i < items.length; i++) {
      left -= weights[i] as number;
      if (left < 0) return items[i] as T;
    }
    return items[0] as T;
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }
}

interface Tools {
  below(n: number): number;
  who(): number;
  register(): Step;
  subscribe(): Step;
  serve(): Step;
  pause(): number;
}

/** Everything but speaking: name, weight, and how a step of it is drawn. */
const VERBS: readonly (readonly [string, number, (tools: Tools) => Step])[] = [
  ['steps', 6, ({ below }) => ({ do: 'steps', count: 1 + below(4) })],
  ['settle', 4, () => ({ do: 'settle' })],
  ['advance', 4, ({ pause }) => ({ do: 'advance', ms: pause() })],
  ['register', 1, ({ register }) => register()],
  ['subscribe', 3, ({ subscribe }) => subscribe()],
  ['serve', 2, ({ serve }) => serve()],
  ['pause', 1.5, ({ who }) => ({ do: 'pause', who: who() })],
  ['resume', 1.5, ({ who }) => ({ do: 'resume', who: who() })],
  ['leave', 1.5, ({ who }) => ({ do: 'leave', who: who() })],
  ['unsubscribe', 2, ({ below }) => ({ do: 'unsubscribe', which: below(8) })],
  ['cancel', 1, ({ below }) => ({ do: 'cancel', which: below(8) })],
  ['receive', 1.5, ({ who, pause }) => ({ do: 'receive', who: who(), timeoutMs: pause() })],
  [
    'messages',
    1,
    ({ who, below }) => {
      const pattern = below(3) === 0 ? undefined : below(PATTERNS.length);
      return { do: 'messages', who: below(3) === 0 ? HOST : who(), pattern };
    },
  ],
  ['next', 2, ({ below }) => ({ do: 'next', which: below(4) })],
  ['return', 0.7, ({ below }) => ({ do: 'return', which: below(4) })],
  [
    'once',
    0.7,
    ({ below }) => {
      const timeoutMs = below(2) === 0 ? 50 : Number.POSITIVE_INFINITY;
      return { do: 'once', pattern: below(PATTERNS.length), timeoutMs };
    },
  ],
  ['abort', 1.5, () => ({ do: 'abort' })],
  ['redrive', 1.5, () => ({ do: 'redrive' })],
  ['purge', 0.3, () => ({ do: 'purge' })],
  [
    'break',
    1,
    ({ below }) => {
      const what = (['listener', 'tap', 'skip', 'veto'] as const)[below(4)] as 'tap';
      return { do: 'break', what };
    },
  ],
  ['drain', 0.7, ({ pause }) => ({ do: 'drain', timeoutMs: pause() })],
  [
    'close',
    0.5,
    ({ below, pause }) => {
      return { do: 'close', mode: below(2) === 0 ? 'drain' : 'abort', timeoutMs: pause() };
    },
  ],
];
