import type {
  Agent,
  Context,
  Message,
  MessageBus,
  Receipt,
  RejectedError,
  Settled,
} from '../../src/index.ts';
import type { SimEnv } from '../../src/testing/sim-env.ts';
import { Books } from './books.ts';
import { Hearer, type Payload } from './hearer.ts';
import {
  type Act,
  AGENTS,
  type Behaviour,
  type Hearing,
  HOST,
  KEYS,
  PATTERNS,
  QUESTIONS,
  type Saying,
  type Step,
  TOPICS,
} from './program.ts';
import { Wording } from './wording.ts';

/** The library under test: the sources, or a mutated copy of them. */
export interface Library {
  readonly MessageBus: typeof MessageBus;
  readonly RejectedError: typeof RejectedError;
  readonly SimEnv: typeof SimEnv;
}

type Verb<D extends Step['do']> = Extract<Step, { readonly do: D }>;
type Handler = (message: Message, context: Context) => unknown;

const FALSY = [0, '', false, null, undefined] as const;
const GRACE_MS = 100;

/** A promise that the library owes. */
interface Debt {
  readonly what: string;
  settled: boolean;
  /** Virtual instant by which it must be settled. */
  readonly dueAt: number;
}

/** A bus, those who use it as a program says, and everything that is known of them from outside. */
export class World {
  readonly env: SimEnv;
  readonly bus: MessageBus;
  readonly books: Books;
  /** What started, mailbox by mailbox: `direct` or not, it must be the same. */
  readonly starts = new Map<string, string[]>();
  readonly debts: Debt[] = [];
  /** Deliveries that closed the bus themselves: nobody waits for them. */
  closers = 0;
  /** `close` has resolved. */
  closed = false;
  readonly #library: Library;
  readonly #agents: (Agent | undefined)[] = [];
  readonly #boxes: { capacity: number; concurrency: number }[] = [];
  readonly #hearers: Hearer[] = [];
  readonly #receipts: { readonly receipt: Receipt; settled: Settled | undefined }[] = [];
  readonly #iterators: AsyncIterableIterator<unknown>[] = [];
  readonly #answers = new Map<number, unknown[]>();
  readonly #answered = new Set<number>();
  readonly #retained = new Set<string>();
  readonly #wording: Wording;
  #controller = new AbortController();
  #said = 0;
  #taken = 0;
  #foreign = 0;
  #duplicateReplies = 0;
  /** Refused replies that are sent again count again. */
  #redrives = false;
  /** Every mailbox is that of an agent, and no retry waits in its place. */
  #mailboxesOfAgents = true;
  readonly #watchMailboxes: boolean;
  /** So many milliseconds late a promise may be kept. */
  readonly #lateMs: number;

  constructor(library: Library, env: SimEnv, watchMailboxes: boolean, lateMs: number = 0) {
    this.#library = library;
    this.#watchMailboxes = watchMailboxes;
    this.#lateMs = lateMs;
    this.env = env;
    this.bus = new library.MessageBus({
      env,
      handlerTimeoutMs: 1_000,
      graceMs: GRACE_MS,
      requestTimeoutMs: 500,
    });
    this.books = new Books(this.bus);
    this.#wording = new Wording(this.bus, this.books, this.#retained);
  }

  /** Does one step, and looks whether all still adds up. */
  async take(step: Step): Promise<void> {
    const verb = this.#verbs[step.do] as (step: Step) => unknown;
    const result = this.#try(() => verb(step));
    if (result instanceof Promise) await result;
    this.check(step.do);
  }

  check(where: string): void {
    const now = this.books.check(where);
    if (this.#watchMailboxes) this.#checkMailboxes(where, now.queued + now.retryWait, now.inFlight);
    for (const { what, settled, dueAt } of this.debts) {
      if (!settled && dueAt < this.env.now()) this.books.blame(`${what} is overdue at ${where}`);
    }
  }

  /** What must hold when the bus has closed and nothing is left to run. */
  checkEnd(): void {
    const { books, bus } = this;
    const now = books.check('the end');
    const left = now.waiting + now.queued + now.scheduled + now.retryWait;
    if (left > 0) books.blame(`after close: ${JSON.stringify(now)}`);
    if (now.inFlight > this.closers) books.blame(`after close: ${now.inFlight} in flight`);
    if (now.pendingRequests > 0) books.blame(`after close: ${now.pendingRequests} requests`);
    for (const { what, settled } of this.debts) {
      if (!settled && this.closers === 0) books.blame(`never settled: ${what}`);
    }
    for (const { receipt, settled } of this.#receipts) this.#checkReceipt(receipt, settled);
    if (this.closers > 0) return;
    for (const id of books.late) {
      if (this.#answered.has(books.numbers.get(id) as number)) books.blame('answered twice');
    }
    const { duplicateReplies, foreignReplies } = now;
    if (!this.#redrives && duplicateReplies !== this.#duplicateReplies)
      books.blame(`${duplicateReplies} duplicates`);
    if (!this.#redrives && foreignReplies !== this.#foreign)
      books.blame(`${foreignReplies} foreign`);
    const letters = bus.deadLetters.list({ refused: false }).length + this.#taken;
    const { counts, cancelledClosed } = books;
    const due = counts.deadLettered + counts.expired + cancelledClosed;
    if (letters !== due) books.blame(`${letters} letters for ${due} deaths`);
  }

  // ---- what a program says

  readonly #verbs: { readonly [D in Step['do']]: (step: Verb<D>) => unknown } = {
    register: ({ who, box }) => {
      this.#agents[who] = this.bus.register(name(who), box);
      this.#boxes[who] = box;
    },
    subscribe: (step) => this.#subscribe(step),
    serve: (step) => this.#serve(step),
    publish: ({ who, topic, say }) => {
      const { dedupe, retain, ...rest } = this.#options(say);
      const options = { ...rest, ...dedupe, ...(retain && { retain }) };
      if (retain) this.#retained.add(TOPICS[topic] as string);
      this.#keep(this.#voice(who).publish(TOPICS[topic] as string, this.#payload(say), options));
    },
    send: ({ who, to, topic, reply, say }) => {
      const { dedupe, retain: _, ...rest } = this.#options(say);
      const options = { ...rest, ...dedupe, ...(reply && { type: 'reply' }) };
      const voice = this.#voice(who);
      const payload = this.#payload(say);
      this.#forging(reply, () => voice.send(name(to), TOPICS[topic] as string, payload, options));
    },
    request: ({ who, to, topic, timeoutMs, signal, say }) => {
      const options = {
        timeoutMs,
        priority: say.priority,
        ...(to === undefined ? {} : { to: name(to) }),
        ...(signal && { signal: this.#controller.signal }),
      };
      const payload = this.#payload(say);
      const answer = this.#voice(who).request(QUESTIONS[topic] as string, payload, options);
      this.#await(answer, payload.n, timeoutMs);
    },
    steps: ({ count }) => {
      for (let i = 0; i < count; i++) this.env.step();
    },
    settle: () => this.env.settle(),
    advance: ({ ms }) => this.env.advance(ms),
    pause: ({ who }) => this.#agent(who).pause(),
    resume: ({ who }) => this.#agent(who).resume(),
    leave: ({ who }) => {
      const left = this.#agent(who).leave();
      for (const hearer of this.#hearers)
        if (hearer.label.startsWith(name(who))) hearer.over = true;
      this.#owe(`leave of ${name(who)}`, left, GRACE_MS + 1);
      this.#agents[who] = undefined;
    },
    unsubscribe: ({ which }) => {
      const hearer = this.#hearers[which];
      hearer?.handle?.unsubscribe();
      if (hearer !== undefined) hearer.over = true;
    },
    cancel: ({ which }) => {
      const receipt = this.#receipts.at(-1 - which)?.receipt;
      if (receipt?.cancel() === true) this.#wording.takenBack(receipt.id);
    },
    receive: ({ who, timeoutMs }) => {
      const got = this.#agent(who).receive({ timeoutMs });
      this.#owe('receive', got, timeoutMs + 1);
    },
    messages: ({ who, pattern }) => {
      const source = PATTERNS[pattern as number];
      if (source !== undefined) this.#mailboxesOfAgents = false;
      const agent = who === HOST ? undefined : this.#agent(who);
      this.#iterators.push(
        agent === undefined ? this.bus.messages(source ?? '**') : agent.messages(source),
      );
      if (agent === undefined) this.#mailboxesOfAgents = false;
    },
    next: ({ which }) => {
      const next = this.#iterators[which]?.next();
      if (next !== undefined) this.#owe('next', next);
    },
    return: ({ which }) => {
      const end = this.#iterators[which]?.return?.();
      if (end !== undefined) this.#owe('return', end, 1);
    },
    once: ({ pattern, timeoutMs }) => {
      this.#mailboxesOfAgents = false;
      this.#owe('once', this.bus.once(PATTERNS[pattern] as string, { timeoutMs }), timeoutMs + 1);
    },
    abort: () => {
      this.#controller.abort(new Error('boom: withdrawn'));
      this.#controller = new AbortController();
    },
    redrive: async () => {
      this.#redrives = true;
      const { list } = this.bus.deadLetters;
      const refused = new Set(
        list.call(this.bus.deadLetters, { refused: true }).map(({ id }) => id),
      );
      const { redriven, receipts } = await this.bus.deadLetters.redrive();
      this.#taken += redriven.filter((id) => !refused.has(id)).length;
      for (const receipt of receipts) this.#keep(receipt);
    },
    purge: () => {
      this.#taken += this.bus.deadLetters.list({ refused: false }).length;
      this.bus.deadLetters.purge();
    },
    break: ({ what }) => this.#break(what),
    drain: ({ timeoutMs }) => {
      this.#owe('drain', this.bus.drain({ timeoutMs }), timeoutMs + 1);
    },
    close: ({ mode, timeoutMs }) => this.close(mode, timeoutMs),
  };

  /** Closing may take its time and the grace, and not more. */
  close(mode: 'drain' | 'abort', timeoutMs: number): void {
    const closing = this.bus.close({ mode, timeoutMs });
    this.#owe(
      'close',
      closing,
      this.bus.inspect().status === 'open' ? timeoutMs + GRACE_MS + 1 : 5_200,
    );
    void closing.then(() => this.#closedNow());
  }

  #closedNow(): void {
    this.closed = true;
    const now = this.env.now();
    const timers = this.env
      .pendingTimers()
      .filter(({ label, at }) => label !== 'program' && at > now);
    if (timers.length > 0 && this.closers === 0) {
      this.books.blame(`timers after close: ${timers.map(({ label }) => label).join(', ')}`);
    }
  }

  #break(what: Verb<'break'>['what']): void {
    const boom = (): never => {
      throw new Error('boom: watcher');
    };
    if (what === 'tap') this.bus.tap('**', boom);
    if (what === 'skip') {
      this.bus.use({
        name: 'skip',
        handle: (message, _, next) =>
          (message.payload as Payload).n % 3 === 0 ? undefined : next(),
      });
    }
    if (what === 'veto') {
      this.bus.use({
        name: 'veto',
        outgoing: ({ payload }, next) => {
          if ((payload as Payload).n % 5 !== 0) next();
        },
      });
    }
    if (what !== 'listener') return;
    for (const event of ['handled', 'dead-lettered', 'expired', 'cancelled', 'retry'] as const) {
      this.bus.events.on(event, boom);
      this.bus.events.on(event, () => Promise.reject(new Error('boom: watcher')));
    }
  }

  // ---- those who hear

  #subscribe({ who, pattern, hearing, behaviour }: Verb<'subscribe'>): void {
    const source = PATTERNS[pattern] as string;
    const { own, group, replay, echo } = hearing;
    const hearer = this.#hearer(`${name(who)} on ${source}`, hearing, behaviour);
    // In a group whoever is free takes the next message: it has no policy.
    const grouped = group && { group: 'g', busy: 'queue' as const };
    const more = { replay, echo, ...this.#optionsOf(hearing), ...grouped };
    if (own !== undefined || group) this.#mailboxesOfAgents = false;
    const handler = this.#handlerOf(hearer);
    hearer.handle =
      who === HOST
        ? this.bus.subscribe(source, handler, { ...more, ...own })
        : this.#agent(who).subscribe(source, handler, {
            ...more,
            ...(own === undefined ? {} : { ...own, lane: 'own' as const }),
          });
  }

  #serve({ who, topic, hearing, behaviour }: Verb<'serve'>): void {
    const source = QUESTIONS[topic] as string;
    const hearer = this.#hearer(`${name(who)} serves ${source}`, hearing, behaviour);
    const handler = this.#handlerOf(hearer);
    hearer.handle = this.#agent(who).serve(source, handler, this.#optionsOf(hearing));
  }

  #hearer(label: string, hearing: Hearing, behaviour: Behaviour): Hearer {
    const hearer = new Hearer(`${label} #${this.#hearers.length}`, this.books, hearing, behaviour);
    this.#hearers.push(hearer);
    if (hearing.inPlace) this.#mailboxesOfAgents = false;
    return hearer;
  }

  #optionsOf(hearing: Hearing): object {
    const { attempts, baseMs, inPlace, keyed, busy, rated, timeoutMs, outbox } = hearing;
    const order = inPlace ? 'in-place' : 'requeue';
    return {
      timeoutMs,
      ...(attempts > 1 && { retry: { maxAttempts: attempts, baseMs, jitter: 'none', order } }),
      ...(keyed && { key: ({ payload }: Message) => (payload as Payload).k }),
      busy,
      ...(outbox !== undefined && { outbox }),
      ...(rated && { rateLimit: { limit: 1, perMs: 30 } }),
    };
  }

  #handlerOf(hearer: Hearer): Handler {
    return (message, context) => {
      const payload = message.payload as Payload;
      const mailbox = hearer.hearing.own === undefined ? context.agent : hearer.label;
      const line = this.starts.get(mailbox) ?? [];
      line.push(`${hearer.label} n${payload.n} ${context.attempt}`);
      this.starts.set(mailbox, line);
      if (this.closed) this.books.blame(`${hearer.label} started after close`);
      hearer.started(message, context);
      this.books.check(`a handler of ${hearer.label}`);
      return this.#behave(hearer, message, context);
    };
  }

  #behave(hearer: Hearer, message: Message, context: Context): unknown {
    const { behaviour } = hearer;
    const payload = message.payload as Payload;
    const awaited: Promise<unknown>[] = [];
    const read = (): void => this.#try(() => hearer.steered(context.steered()));
    read();
    if (payload.d > 0) {
      for (const act of behaviour.acts)
        this.#try(() => this.#act(hearer, act, message, context, awaited));
    }
    if (context.attempt <= behaviour.fails) throw new Error('boom: at first');
    const ending = this.#endings[behaviour.ending](behaviour, message, context);
    read();
    if (awaited.length === 0 && !(ending instanceof Promise)) {
      this.#wording.returns(context);
      return ending;
    }
    return Promise.all([ending, ...awaited]).then(([value]) => {
      read();
      this.#speakLate(hearer, message, context);
      this.#wording.returns(context);
      return value;
    });
  }

  /** A handler whose delivery is over must not be heard. */
  #speakLate(hearer: Hearer, message: Message, context: Context): void {
    const { acts } = hearer.behaviour;
    if ((message.payload as Payload).d === 0 || !acts.some(({ act }) => act === 'late-publish'))
      return;
    const over = this.books.isOver(message);
    const receipt = this.#try(() => context.publish('a', this.#next(0, undefined)));
    if (receipt === undefined) return;
    if (over && this.#retained.size === 0) this.books.blame('a fenced handler was heard');
    this.#keep(this.#worded(hearer, message, context, receipt));
  }

  #act(
    hearer: Hearer,
    act: Act,
    message: Message,
    context: Context,
    awaited: Promise<unknown>[],
  ): void {
    const { d, k, n } = message.payload as Payload;
    switch (act.act) {
      case 'publish': {
        const { topic, priority } = act;
        const payload = this.#next(d - 1, k);
        const receipt = context.publish(TOPICS[topic] as string, payload, { priority });
        this.#keep(this.#worded(hearer, message, context, receipt));
        return;
      }
      case 'send': {
        const payload = this.#next(d - 1, k);
        const receipt = context.send(name(act.to), TOPICS[act.topic] as string, payload);
        this.#keep(this.#worded(hearer, message, context, receipt));
        return;
      }
      case 'request': {
        const payload = this.#next(d - 1, k);
        const { timeoutMs } = act;
        const answer = context.request(QUESTIONS[act.topic] as string, payload, { timeoutMs });
        this.#await(answer, payload.n, timeoutMs);
        if (act.awaits) awaited.push(answer.catch(() => {}));
        return;
      }
      case 'reply': {
        const value = `reply to ${n} at ${context.attempt}`;
        const isRequest = message.type === 'request';
        this.#remember(n, value);
        const first = context.reply(value);
        const second = context.reply('again');
        if (second) this.books.blame('a second reply was taken');
        if (isRequest) this.#duplicateReplies += this.#repliedBefore(message) ? 2 : 1;
        else this.#foreign += 2;
        if (first && !isRequest) this.books.blame('a reply to no request was taken');
        return;
      }
      case 'forge':
        this.#forging(true, () =>
          context.send(message.from, 'a', this.#next(0, k), {
            type: 'reply',
            correlationId: message.correlationId,
          }),
        );
        return;
      case 'unsubscribe':
        hearer.handle?.unsubscribe();
        hearer.over = true;
        return;
      case 'close': {
        const host = context.agent === '$host';
        if (host) this.closers++;
        // Who has interrupted himself may close nothing any more.
        context.close().catch((error: unknown) => this.#excuse(error));
        return;
      }
      case 'late-publish':
        return;
    }
  }

  /** What it has told is held until it has succeeded, if it has an outbox. */
  #worded(hearer: Hearer, message: Message, context: Context, receipt: Receipt): Receipt {
    const { outbox, attempts } = hearer.hearing;
    if (outbox ?? attempts > 1) this.#wording.tells(message, context, receipt.id);
    return receipt;
  }

  /** A reply that is sent by hand is foreign, unless its sender may not speak at all. */
  #forging(reply: boolean, send: () => Receipt): void {
    if (reply) this.#foreign++;
    try {
      this.#keep(send());
    } catch (error) {
      const { code } = error as { code?: unknown };
      const silent = ['TELLASK_CLOSED', 'TELLASK_FENCED', 'TELLASK_REVOKED'] as unknown[];
      if (reply && silent.includes(code)) this.#foreign--;
      throw error;
    }
  }

  readonly #replied = new Set<string>();

  #repliedBefore({ id }: Message): boolean {
    const before = this.#replied.has(id);
    this.#replied.add(id);
    return before;
  }

  readonly #endings: {
    readonly [E in Behaviour['ending']]: (
      behaviour: Behaviour,
      message: Message,
      context: Context,
    ) => unknown;
  } = {
    return: (_, { payload }) => this.#answer(payload as Payload),
    falsy: (_, { payload }) => {
      const { n } = payload as Payload;
      return this.#remember(n, FALSY[n % FALSY.length]);
    },
    throw: () => {
      throw new Error('boom: thrown');
    },
    'throw-text': () => {
      throw 'boom';
    },
    'throw-nothing': () => {
      throw undefined;
    },
    'throw-rejected': () => {
      throw new this.#library.RejectedError('boom: rejected');
    },
    async: (_, { payload }) => Promise.resolve(this.#answer(payload as Payload)),
    'async-throw': () => Promise.reject(new Error('boom: rejected promise')),
    wait: ({ waitMs }, { payload }) =>
      this.#wait(waitMs).then(() => this.#answer(payload as Payload)),
    'wait-throw': ({ waitMs }) =>
      this.#wait(waitMs).then(() => {
        throw new Error('boom: after a while');
      }),
    'until-abort': (_, __, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
    hang: () => this.#wait(4_000),
  };

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.env.setTimer(ms, resolve, { label: 'program' }));
  }

  #answer({ n }: Payload): unknown {
    return this.#remember(n, `answer to ${n}`);
  }

  #remember(n: number, value: unknown): unknown {
    const given = this.#answers.get(n) ?? [];
    given.push(value);
    this.#answers.set(n, given);
    return value;
  }

  // ---- what is owed

  #keep(receipt: Receipt): void {
    if (receipt.duplicate) return;
    const kept = { receipt, settled: undefined as Settled | undefined };
    this.#receipts.push(kept);
    const settled = receipt.settled.then((result) => {
      kept.settled = result;
    });
    this.#owe(`settled of ${receipt.id}`, settled);
    this.#owe(`accepted of ${receipt.id}`, receipt.accepted);
  }

  #await(answer: Promise<unknown>, n: number, timeoutMs: number): void {
    const checked = answer.then((value) => {
      this.#answered.add(n);
      const given = this.#answers.get(n) ?? [];
      if (!given.some((one) => Object.is(one, value))) this.books.blame(`a false answer to n${n}`);
    });
    this.#owe(`request n${n}`, checked, timeoutMs);
  }

  #owe(what: string, promise: Promise<unknown>, withinMs = Number.POSITIVE_INFINITY): void {
    const debt: Debt = { what, settled: false, dueAt: this.env.now() + withinMs + this.#lateMs };
    this.debts.push(debt);
    const paid = (): void => {
      debt.settled = true;
      if (this.env.now() > debt.dueAt) this.books.blame(`${what} came too late`);
    };
    promise.then(paid, (error: unknown) => {
      paid();
      this.#excuse(error);
    });
  }

  #checkReceipt(receipt: Receipt, settled: Settled | undefined): void {
    if (settled === undefined) return;
    const { handled, deadLettered, expired, cancelled } = settled;
    const ended = handled + deadLettered.length + expired + cancelled;
    const { books } = this;
    if (ended !== receipt.recipients.length) books.blame(`${ended} outcomes of ${receipt.id}`);
    const told = books.outcomes.get(receipt.id) ?? [];
    const first = (books.order.has(receipt.id) && !this.#isRetained(receipt)) || told.length === 0;
    if (first && this.closers === 0 && told.length !== ended) {
      books.blame(`${told.length} outcomes told of ${receipt.id}, ${ended} in its receipt`);
    }
  }

  /** Its replays have the same id. */
  #isRetained({ id }: Receipt): boolean {
    return this.#retained.size > 0 && id !== '';
  }

  #checkMailboxes(where: string, places: number, inFlight: number): void {
    let sum = 0;
    this.#agents.forEach((agent, who) => {
      if (agent === undefined) return;
      const { queued, running, waiting } = agent.inspect();
      const { capacity, concurrency } = this.#boxes[who] as {
        capacity: number;
        concurrency: number;
      };
      sum += queued;
      if (queued < 0 || queued > capacity) {
        this.books.blame(`${queued} places of ${capacity} at ${where}`);
      }
      if (waiting > 0 && queued < capacity)
        this.books.blame(`a free place, but ${waiting} wait at ${where}`);
      if (waiting > capacity)
        this.books.blame(`${waiting} wait for ${capacity} places at ${where}`);
      if (running < 0 || running > concurrency) this.books.blame(`${running} run at ${where}`);
    });
    // What may come back for a retry keeps its place while it is in flight.
    if (sum > places + inFlight) this.books.blame(`${sum} places for ${places} at ${where}`);
    if (this.#mailboxesOfAgents && sum < places) {
      this.books.blame(`only ${sum} places for ${places} deliveries at ${where}`);
    }
  }

  /** What the library throws must be its own error, or what the program threw. */
  #try<T>(call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      this.#excuse(error);
      return undefined;
    }
  }

  #excuse(error: unknown): void {
    const { code, message } = error as { code?: unknown; message?: unknown };
    if (typeof code === 'string' && code.startsWith('TELLASK_')) return;
    if (typeof message === 'string' && message.startsWith('boom')) return;
    if (error === NOBODY) return;
    this.books.blame(`a foreign error: ${(error as Error)?.stack ?? String(error)}`);
  }

  // ---- names

  #voice(who: number): Agent | MessageBus {
    return who === HOST ? this.bus : this.#agent(who);
  }

  #agent(who: number): Agent {
    const agent = this.#agents[who];
    if (agent === undefined) throw NOBODY;
    return agent;
  }

  #options({ priority, ttlMs, delayMs, placeMs, dedupe, retain, key }: Saying) {
    return {
      priority,
      ...(ttlMs !== undefined && { ttlMs }),
      ...(delayMs !== undefined && { delayMs }),
      ...(placeMs !== undefined && { timeoutMs: placeMs }),
      dedupe: dedupe ? { dedupeKey: `key ${key}` } : {},
      retain,
    };
  }

  #payload({ depth, key }: Saying): Payload {
    return this.#next(depth, KEYS[key]);
  }

  #next(d: number, k: string | undefined): Payload {
    return { d, k, n: this.#said++ };
  }
}

/** The step speaks of an agent that is not there: it does nothing. */
const NOBODY = new Error('nobody');

function name(who: number): string {
  return who === HOST ? '$host' : (AGENTS[who] as string);
}
