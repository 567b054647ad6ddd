import type { BusyPolicy, Overflow } from '../../src/index.ts';

/** How a handler ends. */
export type Ending =
  | 'return'
  | 'falsy'
  | 'throw'
  | 'throw-text'
  | 'throw-nothing'
  | 'throw-rejected'
  | 'async'
  | 'async-throw'
  | 'wait'
  | 'wait-throw'
  | 'until-abort'
  | 'hang';

/** What a handler does before it ends, when its message still has depth. */
export type Act =
  | { readonly act: 'publish'; readonly topic: number; readonly priority: number }
  | { readonly act: 'send'; readonly to: number; readonly topic: number; readonly ttlMs?: number }
  | { readonly act: 'request'; readonly topic: number; readonly timeoutMs: number; awaits: boolean }
  | { readonly act: 'reply' | 'forge' | 'unsubscribe' | 'close' | 'late-publish' };

/** What a handler does. */
export interface Behaviour {
  readonly ending: Ending;
  readonly acts: readonly Act[];
  /** Attempts that end with a throw, whatever `ending` says. */
  readonly fails: number;
  readonly waitMs: number;
}

/** Options of a mailbox. */
export interface Box {
  readonly capacity: number;
  readonly overflow: Overflow;
  readonly concurrency: number;
  readonly ageingLimit: number;
  readonly onHang: 'release' | 'hold' | 'stop';
}

/** Options of a subscription, as far as programs use them. */
export interface Hearing {
  readonly attempts: number;
  readonly baseMs: number;
  readonly inPlace: boolean;
  readonly keyed: boolean;
  readonly busy: BusyPolicy;
  readonly rated: boolean;
  readonly timeoutMs: number;
  readonly outbox: boolean | undefined;
  readonly group: boolean;
  readonly replay: boolean;
  readonly echo: boolean;
  readonly own: Box | undefined;
}

/** What is said with a message. */
export interface Saying {
  readonly priority: number;
  readonly ttlMs: number | undefined;
  readonly delayMs: number | undefined;
  readonly dedupe: boolean;
  readonly retain: boolean;
  /** How long a copy may wait for a place. */
  readonly placeMs: number | undefined;
  readonly depth: number;
  readonly key: number;
}

/** One step from outside. Agents, topics, patterns are numbers into the lists of this file. */
export type Step =
  | { readonly do: 'register'; readonly who: number; readonly box: Box }
  | {
      readonly do: 'subscribe';
      readonly who: number;
      readonly pattern: number;
      readonly hearing: Hearing;
      readonly behaviour: Behaviour;
    }
  | {
      readonly do: 'serve';
      readonly who: number;
      readonly topic: number;
      readonly hearing: Hearing;
      readonly behaviour: Behaviour;
    }
  | { readonly do: 'publish'; readonly who: number; readonly topic: number; readonly say: Saying }
  | {
      readonly do: 'send';
      readonly who: number;
      readonly to: number;
      readonly topic: number;
      readonly reply: boolean;
      readonly say: Saying;
    }
  | {
      readonly do: 'request';
      readonly who: number;
      readonly to: number | undefined;
      readonly topic: number;
      readonly timeoutMs: number;
      readonly signal: boolean;
      readonly say: Saying;
    }
  | { readonly do: 'steps'; readonly count: number }
  | { readonly do: 'settle' }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'pause' | 'resume' | 'leave'; readonly who: number }
  | { readonly do: 'unsubscribe' | 'cancel' | 'next' | 'return'; readonly which: number }
  | { readonly do: 'receive'; readonly who: number; readonly timeoutMs: number }
  | { readonly do: 'messages'; readonly who: number; readonly pattern: number | undefined }
  | { readonly do: 'once'; readonly pattern: number; readonly timeoutMs: number }
  | { readonly do: 'abort' | 'redrive' | 'purge' }
  | { readonly do: 'break'; readonly what: 'listener' | 'tap' | 'skip' | 'veto' }
  | { readonly do: 'drain'; readonly timeoutMs: number }
  | { readonly do: 'close'; readonly mode: 'drain' | 'abort'; readonly timeoutMs: number };

/** A program: nothing but its steps, so that a shorter one is a program too. */
export type Program = readonly Step[];

/** Names as data might bring them. */
export const AGENTS = ['ann', 'bob', '__proto__', 'constructor'] as const;
export const TOPICS = ['a', 'a.b', 'c', '__proto__', 'a.constructor'] as const;
export const PATTERNS = ['a', 'a.b', 'a.*', '**', 'c', '__proto__', '*'] as const;
export const QUESTIONS = ['q', 'q.constructor', '__proto__'] as const;
export const KEYS = ['k', '__proto__', 'constructor', undefined] as const;
/** Stands for `$host` where an agent's number is expected. */
export const HOST = -1;
