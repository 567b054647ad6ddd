/**
 * How a library calls its handlers. Handlers are generated from it, so that every contender runs
 * functions of its own native signature and pays for no adapter.
 */
export interface HandlerShape {
  /** The parameter list of a handler, such as `message, done`. */
  readonly parameters: string;
  /** The expression that reads the payload, such as `message.payload`. */
  readonly payload: string;
  /** What a handler says when it is done, such as `done()`. */
  readonly last?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: every library has its own signature; HandlerShape names it
export type Handler = (...args: any[]) => void;

/** Topics are dot-separated, `*` is one segment, `**` any number of them. */
export interface PubSub {
  readonly handler: HandlerShape;
  /** Returns whatever `unsubscribe` needs back. */
  subscribe(pattern: string, handler: Handler): unknown;
  unsubscribe(pattern: string, handler: Handler, subscription: unknown): void;
  publish(topic: string, payload: unknown): void;
  /** True when `unsubscribe` does its work in a later turn, which then counts as well. */
  readonly unsubscribesLater?: boolean;
}

export interface Asker {
  /** Asks for `value + 1`. */
  ask(value: number): PromiseLike<unknown>;
}

export interface Streamer {
  /** Makes the numbers from 1 to `chunks`, one at a time, for who reads them. */
  stream(chunks: number): AsyncIterable<unknown>;
}

/** What a mailbox holds: taken by greatest priority first, oldest ticket first inside. */
export interface Queued {
  priority: number;
  ticket: number;
}

export interface PriorityQueue {
  push(item: Queued): void;
  take(): Queued | undefined;
}

/** A mailbox of one worker that does one thing at a time. */
export interface TaskQueue {
  readonly handler: HandlerShape;
  work(handler: Handler): void;
  push(payload: number): void;
}

/** Each makes a library of its own and returns what keeps that many alive. */
export interface Holder {
  /** Nothing but the record of what was said. */
  envelopes(count: number): unknown;
  queuedMessages(count: number): unknown;
  pendingRequests(count: number): unknown;
  /** Agents that are registered, each of which serves a topic and has nothing to do. */
  idleAgents(count: number): unknown;
}

export interface PatternCompiler {
  /** Throws when the pattern is refused. */
  compile(pattern: string): { matches(topic: string): boolean };
}

/** Something around a call: it calls the work and hands on what comes of it. */
export type Guard = (work: () => Promise<number>) => PromiseLike<number>;

/** Policies; who has not all of them takes part with those that he has. */
export interface Policies {
  /** A retry around a breaker around the call. */
  retryAndBreaker(): Guard;
  /** A breaker that lets nothing through. */
  openBreaker(): Guard | Promise<Guard>;
  /** A time-out of a minute, whose signal nobody reads. */
  timeout(): Guard;
}

/** Opens a breaker that opens after five failures in a row. */
export async function open(breaker: { execute(work: () => never): PromiseLike<unknown> }) {
  for (let failure = 0; failure < 5; failure += 1) {
    const fails = (): never => {
      throw new Error('opens the breaker');
    };
    await Promise.resolve(breaker.execute(fails)).catch(() => {});
  }
}

/** How many tasks the row of bulkheads runs at a time. */
export const AT_A_TIME = 10;

/** How many are asked at once in the row of gathering. */
export const RESPONDERS = 10;

export interface Gatherer {
  /** Asks {@link RESPONDERS} of them for `value + 1` at once; resolves with all answers. */
  gather(value: number): PromiseLike<readonly unknown[]>;
}

/** Something that changes, and who reads every change of it. */
export interface Watched {
  /** Each reads all that is written from now on. */
  watch(): AsyncIterable<unknown>;
  write(value: number): void;
}

/** A document as programs have them: chapters of items of about 100 bytes. */
export interface Book {
  readonly open: boolean;
  readonly chapters: readonly {
    readonly title: string;
    readonly items: readonly {
      readonly id: number;
      readonly title: string;
      readonly tags: readonly string[];
      readonly author: { readonly name: string; readonly age: number };
    }[];
  }[];
}

/**
 * The book with another age at one item, by the syntax of the language. Spread, since `slice` takes
 * thirty times as long with a frozen array.
 */
export function withAge(book: Book, chapter: number, item: number, age: number): Book {
  const chapters = [...book.chapters];
  const old = chapters[chapter];
  const one = old?.items[item];
  if (old === undefined || one === undefined) return book;
  const items = [...old.items];
  items[item] = { ...one, author: { ...one.author, age } };
  chapters[chapter] = { ...old, items };
  return { ...book, chapters };
}

/** A document whose versions are kept. */
export interface Documents {
  /** Whether nobody can change a version that is kept. Who copies the whole lets that be. */
  readonly frozen: boolean;
  /** Changes one leaf, which makes a version. */
  setAge(chapter: number, item: number, age: number): void;
  current(): Book;
  /** The version so many before the current one. */
  past(back: number): Book;
  /** The versions that are kept, oldest first. */
  kept(): readonly Book[];
}

/** What a row can need. A contender takes part in every row whose ability it has. */
/** Runs a scenario of 20 steps under so many orders, each on a bus of its own. */
export type Explorer = (schedules: number) => Promise<void>;

/** Publishes so many messages to one subscriber and waits until they are handled. */
export interface Seam {
  /** As in production. */
  bare: (messages: number) => Promise<void>;
  /** With one more Env between the bus and the real one. */
  wrapped: (messages: number) => Promise<void>;
}

/** Agents that can do the same, one of which can do something more. */
export interface Society {
  /** Looks up who can do more. */
  find(): unknown;
  /** Asks one of them all. */
  ask(): PromiseLike<unknown>;
}

export interface Abilities {
  /** Makes so many agents with cards. */
  society: (count: number) => Society;
  explorer: Explorer;
  seam: Seam;
  pubSub: PubSub;
  wildcards: PubSub;
  asker: Asker;
  /** The same, with a time-out, a retry and a breaker. */
  guardedAsker: Asker;
  /** The same, answered after the handler has returned. */
  laterAsker: Asker;
  streamer: Streamer;
  gatherer: Gatherer;
  watched: Watched;
  priorityQueue: PriorityQueue;
  taskQueue: TaskQueue;
  /** The same, where each is a task of a board, with a lease and a place in the state. */
  taskBoard: TaskQueue;
  /** The same, with up to 100 tasks in one call. */
  batchQueue: TaskQueue;
  holder: Holder;
  policies: Policies;
  /** {@link AT_A_TIME} tasks at a time; the others wait. */
  bulkhead: Guard;
  /** Makes so many breakers of a registry, each of which has let one call through. */
  breakers: (count: number) => Promise<unknown>;
  /** Keeps so many versions of a document from now on. */
  documents: (book: Book, versions: number) => Documents;
  /** What changes a book into one with one leaf changed. */
  differ: (book: Book) => () => readonly unknown[];
  patterns: PatternCompiler;
  /** The specifier or file URL that a program imports. */
  entry: string;
}

export type Ability = keyof Abilities;

/**
 * One library. Its abilities import it when they are called, in the process that measures it:
 * nothing is loaded to list the contenders.
 */
export interface Contender {
  readonly name: string;
  /** The npm package whose version is shown. */
  readonly package?: string;
  readonly abilities: { readonly [A in Ability]?: () => Abilities[A] | Promise<Abilities[A]> };
}

/** The ability that a row needs, made anew. */
export async function ability<A extends Ability>(
  contender: Contender,
  name: A,
): Promise<Abilities[A]> {
  const make = contender.abilities[name];
  if (make === undefined) throw new Error(`${contender.name} has no ability '${name}'`);
  return await make();
}
