import { AsyncLocalStorage } from 'node:async_hooks';
import type { Env, Lane, Timer, TimerOptions } from '../kernel/env.ts';
import type { FaultPlan } from '../kernel/fault-plan.ts';
import type { Attempt } from './attempt.ts';
import { FencedError } from './errors.ts';
import type { Cause, Speaker } from './speech.ts';
import type { Invoke, Permits } from './subscription.ts';

/** The option of a bus by which the test bus gives it an ambience of its own. */
export const AMBIENT: unique symbol = Symbol('ambient');

/** What a piece of code runs inside of, across `await`. */
export class Surroundings<T> {
  readonly #storage = new AsyncLocalStorage<T | undefined>();

  get current(): T | undefined {
    return this.#storage.getStore();
  }

  run<R>(inside: T | undefined, fn: () => R): R {
    return this.#storage.run(inside, fn);
  }
}

/**
 * Knows, across `await`, inside which handler of the bus code runs, so that what is said on a
 * handle there is said as on its context. Made only for a bus with `ambientContext: true`.
 */
export class Ambient {
  readonly #storage = new AsyncLocalStorage<Attempt | undefined>();

  /** Whoever bears the name, speaking from within whatever handler it is called in. */
  speaker(name: string, permits: Permits | undefined): Speaker {
    return new AmbientSpeaker(name, permits, this);
  }

  /** The handler, as it would be the cause of what its context says. */
  get cause(): Cause | undefined {
    const attempt = this.#storage.getStore();
    if (attempt?.fenced === true) {
      throw new FencedError(attempt.agent, 'speak inside', attempt.message.topic);
    }
    return attempt === undefined || attempt.heard ? attempt : afterwards(attempt);
  }

  /** The handler with everything that it calls inside of it. */
  around(invoke: Invoke): Invoke {
    return (message, context) => this.#storage.run(context, () => invoke(message, context));
  }

  /** A function that is called later, as if it were called here. */
  bind<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
    const attempt = this.#storage.getStore();
    return (...args) => this.#storage.run(attempt, () => fn(...args));
  }

  /** A function of the user that runs inside of no handler, wherever it is called. */
  outside<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
    return (...args) => this.#storage.run(undefined, () => fn(...args));
  }
}

/** What goes on when its handler has ended belongs to the conversation; nobody waits for it. */
function afterwards({ message, outbox }: Attempt): Cause {
  return {
    message,
    deadline: Infinity,
    heard: false,
    exhausted: undefined,
    // What has failed is not heard now either.
    outbox,
    onAbort: () => () => {},
  };
}

class AmbientSpeaker implements Speaker {
  readonly name: string;
  readonly permits: Permits | undefined;
  readonly #ambient: Ambient;

  constructor(name: string, permits: Permits | undefined, ambient: Ambient) {
    this.name = name;
    this.permits = permits;
    this.#ambient = ambient;
  }

  get cause(): Cause | undefined {
    return this.#ambient.cause;
  }
}

/**
 * The Env of a bus with ambient context. A step that a handler sets off belongs to the bus and not
 * to that handler: taps, for one, would inherit from whoever happened to wake them.
 */
export class OutsideEnv implements Env {
  readonly #env: Env;
  readonly #ambient: Ambient;
  readonly #lanes = new WeakMap<Lane, OutsideLane>();

  constructor(env: Env, ambient: Ambient) {
    this.#env = env;
    this.#ambient = ambient;
  }

  get direct(): boolean {
    return this.#env.direct;
  }

  get faults(): FaultPlan | undefined {
    return this.#env.faults;
  }

  now(): number {
    return this.#env.now();
  }

  wall(): number {
    return this.#env.wall();
  }

  random(): number {
    return this.#env.random();
  }

  idPrefix(): string {
    return this.#env.idPrefix();
  }

  post(lane: Lane): void {
    let outside = this.#lanes.get(lane);
    if (outside === undefined) {
      outside = new OutsideLane(lane, this.#ambient);
      this.#lanes.set(lane, outside);
    }
    this.#env.post(outside);
  }

  setTimer(delayMs: number, fn: () => void, options?: TimerOptions): Timer {
    return this.#env.setTimer(delayMs, this.#ambient.outside(fn), options);
  }
}

class OutsideLane implements Lane {
  readonly run: () => void;
  readonly #lane: Lane;

  constructor(lane: Lane, ambient: Ambient) {
    this.#lane = lane;
    this.run = ambient.outside(() => lane.run());
  }

  get kind(): Lane['kind'] {
    return this.#lane.kind;
  }

  get label(): string {
    return this.#lane.label;
  }

  get order(): number {
    return this.#lane.order;
  }

  get posted(): boolean {
    return this.#lane.posted;
  }

  set posted(posted: boolean) {
    this.#lane.posted = posted;
  }
}
