import type { Agent } from '../agents/agent.ts';
import type { MessageBus } from '../bus.ts';
import type { Context } from '../delivery/context.ts';
import type { Answering, Later } from '../delivery/later.ts';
import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type {
  AnyContract,
  ContractShape,
  MessageOf,
  RequestMessage,
  ResponderOutput,
  ServeArg,
  ServedTopic,
} from '../message/contract-types.ts';
import type { Message } from '../message/message.ts';
import { compilePattern, type Pattern } from '../message/pattern.ts';
import { ExpectationError } from './errors.ts';
import { describeFilter, type MessageFilter, show, showMessage, testOf } from './message-filter.ts';

/** Options of {@link TestBus.probe}. */
export interface ProbeOptions {
  /** What it listens to besides what is sent to it. @default '**', everything that is published */
  readonly pattern?: string | readonly string[];
  /** Requests that it takes and leaves open until `reply`; see also `autoReply`. @default none */
  readonly serve?: string | readonly string[];
  readonly capabilities?: readonly string[];
}

/** How long a probe lets time pass for what it expects. */
export interface ExpectOptions {
  /**
   * Milliseconds of the test's clock; with `Infinity` as long as any timer is pending.
   * @default 0, what comes without any time passing
   */
  readonly withinMs?: number;
}

/** What a probe needs of its test. */
export interface ProbeParts<C extends ContractShape> {
  readonly bus: MessageBus<C>;
  settle(): Promise<void>;
  /** Lets time pass up to the next timer, at most until `endsAt`; false when there is none. */
  nextTimer(endsAt: number): Promise<boolean>;
  now(): number;
  /** Dead letters that the test did not expect, a line each. */
  letters(): readonly string[];
}

/** A request that a probe has taken. */
interface Owed {
  readonly request: Message;
  readonly later: Later;
}

/** How a probe answers a topic by itself. */
interface Automatic {
  readonly pattern: Pattern;
  readonly answer: (request: Message, context: Context) => unknown;
}

const OPTIONS: ReadonlySet<string> = new Set<keyof ProbeOptions>([
  'pattern',
  'serve',
  'capabilities',
]);

/**
 * An agent that a test plays: it keeps what it gets, and the test says what it expects. Whatever
 * looks at messages brings the bus to rest first, so that nothing is ever waited for in vain.
 *
 * @example
 * ```ts
 * import { createTestBus } from 'tellask/testing';
 * const t = createTestBus();
 * const reviewer = t.probe('reviewer', { pattern: 'report.*.drafted', serve: 'review' });
 * t.bus.publish('report.7.drafted', { pages: 3 });
 * const draft = await reviewer.expect({ topic: 'report.*.drafted', payload: { pages: 3 } });
 * draft.topic; // => 'report.7.drafted'
 *
 * const asked = t.bus.request('review', draft.payload);
 * await reviewer.expect('review');
 * reviewer.reply('fine');
 * await reviewer.expectNone();
 * await asked; // => 'fine'
 * ```
 */
export class Probe<C extends ContractShape = AnyContract> {
  /** The agent as which it speaks. */
  readonly agent: Agent<C>;
  readonly #parts: ProbeParts<C>;
  /** All that it got. */
  readonly #received: Message[] = [];
  /** What no `expect` or `fish` has taken. */
  readonly #unseen: Message[] = [];
  readonly #owed: Owed[] = [];
  readonly #automatic: Automatic[] = [];
  readonly #served = new Set<string>();

  constructor(parts: ProbeParts<C>, name: string, options: ProbeOptions = {}) {
    refuseUnknown(options, OPTIONS, 'probe');
    const { pattern = '**', serve = [], capabilities = [] } = options;
    this.#parts = parts;
    // Never busy: what comes while a request is open must be seen.
    this.agent = parts.bus.register(name, { capabilities, concurrency: Infinity });
    for (const one of listOf('pattern', pattern)) {
      this.agent.subscribe(one as never, (message) => this.#got(message as Message));
    }
    for (const topic of listOf('serve', serve)) this.#serve(topic);
  }

  get name(): string {
    return this.agent.name;
  }

  /** All that it got so far, oldest first, requests included. */
  get messages(): readonly Message[] {
    return [...this.#received];
  }

  /**
   * Resolves with the next message, which has to fit. Rejects with ExpectationError
   * `TELLASK_EXPECTATION` that tells what came instead.
   */
  async expect<const P extends string = string>(
    filter: P | MessageFilter<P> = {},
    options: ExpectOptions = {},
  ): Promise<MessageOf<C, P>> {
    const fits = testOf(filter);
    await this.#until(() => this.#unseen.length > 0, options);
    const [next] = this.#unseen;
    if (next === undefined || !fits(next)) throw this.#missed('next', filter);
    return this.#take(next) as MessageOf<C, P>;
  }

  /** Resolves with the first message that fits; those before it are skipped for good. */
  async fish<const P extends string = string>(
    filter: P | MessageFilter<P>,
    options: ExpectOptions = {},
  ): Promise<MessageOf<C, P>> {
    const fits = testOf(filter);
    const found = (): Message | undefined => this.#unseen.find((message) => fits(message));
    await this.#until(() => found() !== undefined, options);
    const message = found();
    if (message === undefined) throw this.#missed('any', filter);
    return this.#take(message) as MessageOf<C, P>;
  }

  /** Resolves if nothing that fits has come which no `expect` or `fish` has taken: exactly nothing. */
  async expectNone(filter: string | MessageFilter = {}): Promise<void> {
    const fits = testOf(filter);
    await this.#parts.settle();
    const found = this.#unseen.filter((message) => fits(message));
    if (found.length === 0) return;
    const what = `${this.name} expected no ${describeFilter(filter)}, but got`;
    throw new ExpectationError(`${what}:${linesOf(found)}`, [], found.map(showMessage));
  }

  /** Answers the request that has been open for longest; false when nobody wanted it any more. */
  reply(value: unknown): boolean {
    return this.#next('reply').later.answer(value);
  }

  /** Fails the request that has been open for longest; false when nobody wanted it any more. */
  fail(error: unknown): boolean {
    return this.#next('fail').later.fail(error);
  }

  /** Answers this request, or these, by itself from now on: with a value, or what a function gives. */
  autoReply<const T extends string>(
    topic: ServeArg<C, T>,
    answer: (
      request: RequestMessage<C, ServedTopic<C, T>>,
      context: Context<C>,
    ) => Answering<ResponderOutput<C, ServedTopic<C, T>>>,
  ): this;
  autoReply<const T extends string>(
    topic: ServeArg<C, T>,
    answer: ResponderOutput<C, ServedTopic<C, T>>,
  ): this;
  autoReply(topic: string, answer: unknown): this {
    const give = (typeof answer === 'function' ? answer : () => answer) as Automatic['answer'];
    this.#automatic.unshift({ pattern: compilePattern(topic), answer: give });
    this.#serve(topic);
    return this;
  }

  /** Resolves at rest if no agent of that name is registered. */
  async expectGone(agent: string): Promise<void> {
    await this.#parts.settle();
    const [found] = this.#parts.bus.agents({ name: agent });
    if (found === undefined) return;
    const { status, running, queued } = found;
    const what = `${this.name} expected ${agent} to be gone, but it is ${status}`;
    throw new ExpectationError(`${what} (running ${running}, queued ${queued})`, undefined, found);
  }

  #serve(topic: string): void {
    if (this.#served.has(topic)) return;
    this.#served.add(topic);
    this.agent.serve(
      topic as never,
      (request, context) => this.#asked(request as Message, context as unknown as Context) as never,
    );
  }

  #asked(request: Message, context: Context): unknown {
    this.#got(request);
    const automatic = this.#automatic.find(({ pattern }) => pattern.matches(request.topic));
    if (automatic !== undefined) return automatic.answer(request, context);
    const later = context.defer(undefined, { timeoutMs: Infinity });
    this.#owed.push({ request, later });
    return later;
  }

  #got(message: Message): void {
    this.#received.push(message);
    this.#unseen.push(message);
  }

  #take(message: Message): Message {
    this.#unseen.splice(0, this.#unseen.indexOf(message) + 1);
    return message;
  }

  #next(how: string): Owed {
    const owed = this.#owed.shift();
    if (owed !== undefined) return owed;
    throw new ExpectationError(
      `${this.name} cannot ${how}: it has no open request. It got:${linesOf(this.#received)}`,
      'an open request',
      this.#received.map(showMessage),
    );
  }

  async #until(come: () => boolean, { withinMs = 0 }: ExpectOptions): Promise<void> {
    if (!(typeof withinMs === 'number' && withinMs >= 0)) {
      throw new RangeError(misuse('withinMs', 'a number from 0', withinMs).message);
    }
    const { settle, nextTimer, now } = this.#parts;
    const endsAt = now() + withinMs;
    await settle();
    while (!come() && (await nextTimer(endsAt))) {}
  }

  #missed(which: 'next' | 'any', filter: string | MessageFilter): ExpectationError {
    const wanted = describeFilter(filter);
    const what = `${this.name} expected ${wanted}`;
    const [first, ...rest] = this.#unseen;
    if (first === undefined) {
      const had = this.#received.length === 0 ? '' : `. Taken before:${linesOf(this.#received)}`;
      return new ExpectationError(`${what}, but nothing came${had}${this.#died()}`, wanted, []);
    }
    const all = this.#unseen.map(showMessage);
    if (which === 'any') {
      return new ExpectationError(
        `${what}, but got only:${linesOf(this.#unseen)}${this.#died()}`,
        wanted,
        all,
      );
    }
    const more = rest.length === 0 ? '' : `\nand behind it:${linesOf(rest)}`;
    return new ExpectationError(
      `${what}, but the next was:${linesOf([first])}${more}${this.#died()}`,
      wanted,
      all,
    );
  }

  /** What did not come has often ended here. On lines of its own: the first one is the failure's kind. */
  #died(): string {
    const letters = this.#parts.letters();
    return letters.length === 0 ? '' : `\nDead letters:${indented(letters)}`;
  }
}

const MAX_LINES = 20;

function linesOf(messages: readonly Message[]): string {
  if (messages.length === 0) return ' nothing';
  return indented(messages.map(showMessage));
}

function indented(all: readonly string[]): string {
  const lines = all.slice(0, MAX_LINES).map((line) => `\n  ${line}`);
  const left = all.length - lines.length;
  return left > 0 ? `${lines.join('')}\n  and ${left} more` : lines.join('');
}

function listOf(option: string, value: string | readonly string[]): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.every((one) => typeof one === 'string')) return list as string[];
  throw misuse(option, 'a string or a list of strings', show(value));
}
