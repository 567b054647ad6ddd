import type { Voice } from '../delivery/context.ts';
import { FencedError } from '../delivery/errors.ts';
import { failedStream } from '../delivery/stream.ts';
import { onAbort } from '../kernel/abort.ts';
import { Cancellation } from '../kernel/cancellation.ts';
import { isTellaskError } from '../kernel/errors.ts';
import { type Logger, silentLogger } from '../observe/logger.ts';
import type { Json } from './journal.ts';
import type { SagaContext } from './saga-context.ts';

/** One saga, as its steps hear of it. */
export interface Scene {
  readonly saga: string;
  readonly id: string;
  readonly input: Json | undefined;
  readonly voice: Voice | undefined;
  /** The voice has ended with its bus or its agent: nothing can be asked any more. */
  lost(error: unknown): void;
}

/** One call of a step or a compensation. */
export interface Part {
  readonly step: string;
  readonly idempotencyKey: string;
  readonly results: object;
  readonly attempt: number;
  /** Whether what it asks must not be called off with the handler in which the saga runs. */
  readonly shielded: boolean;
  readonly cancellation: Cancellation;
}

type Call<V extends keyof Voice> = (...said: Parameters<Voice[V]>) => ReturnType<Voice[V]>;
type Options = object | undefined;

const LOST = ['TELLASK_CLOSED', 'TELLASK_REVOKED', 'TELLASK_FENCED'] as const;

/** Speaks for one attempt of one step, until it is over. `SagaContext` has its public type. */
export class SagaVoice implements SagaContext<unknown, object> {
  readonly saga: string;
  readonly id: string;
  readonly step: string;
  readonly input: unknown;
  readonly results: object;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly #scene: Scene;
  readonly #part: Part;
  /** How to stop listening to the signals that its requests were given. */
  readonly #links: (() => void)[] = [];
  #over = false;

  constructor(scene: Scene, part: Part) {
    this.saga = scene.saga;
    this.id = scene.id;
    this.step = part.step;
    this.input = scene.input;
    this.results = part.results;
    this.attempt = part.attempt;
    this.idempotencyKey = part.idempotencyKey;
    this.#scene = scene;
    this.#part = part;
  }

  get signal(): AbortSignal {
    return this.#part.cancellation.signal;
  }

  get log(): Logger {
    const { voice } = this.#scene;
    return (voice as { readonly log?: Logger } | undefined)?.log ?? silentLogger;
  }

  /** Its attempt has ended, or was given up: whatever it says now is refused. */
  end(): void {
    this.#over = true;
    for (const unlink of this.#links.splice(0)) unlink();
  }

  publish: Call<'publish'> = (topic, payload, options) =>
    this.#heard(() => this.#voice('publish', topic).publish(topic, payload, this.#told(options)));

  send: Call<'send'> = (to, topic, payload, options) =>
    this.#heard(() => this.#voice('send', topic).send(to, topic, payload, this.#told(options)));

  broadcast: Call<'broadcast'> = (to, topic, payload, options) =>
    this.#heard(() =>
      this.#voice('send', topic).broadcast(to, topic, payload, this.#told(options)),
    );

  request: Call<'request'> = (topic, input, options) =>
    this.#asked(() => this.#voice('request', topic).request(topic, input, this.#ask(options)));

  gather: Call<'gather'> = (topic, input, options) =>
    this.#asked(() => this.#voice('request', topic).gather(topic, input, this.#ask(options)));

  stream: Call<'stream'> = (topic, input, options) => {
    try {
      return this.#voice('request', topic).stream(topic, input, this.#ask(options));
    } catch (error) {
      return failedStream(error) as ReturnType<Voice['stream']>;
    }
  };

  #voice(action: string, topic: string): Voice {
    if (this.#over) {
      throw new FencedError(`Step ${this.step} of saga ${this.saga}`, action, topic);
    }
    const { voice } = this.#scene;
    if (voice !== undefined) return voice;
    throw new TypeError(`Step ${this.step} speaks, but the saga was run without an agent: as`);
  }

  /** All that a saga says belongs to one conversation: the context's, or its own. */
  #told<O extends Options>(options: O): O {
    if (isContext(this.#scene.voice)) return options;
    return { correlationId: `saga/${this.saga}/${this.id}`, ...options } as O;
  }

  #ask<O extends Options>(options: O): O {
    const shield = this.#part.shielded && isContext(this.#scene.voice) ? { detached: true } : {};
    const own = (options as { readonly signal?: AbortSignal } | undefined)?.signal;
    return { ...shield, ...this.#told(options), signal: this.#both(own) } as O;
  }

  /** Aborts with the attempt, and with what the caller gave. */
  #both(own: AbortSignal | undefined): AbortSignal {
    const { cancellation } = this.#part;
    if (own === undefined) return cancellation.signal;
    const both = new Cancellation();
    const abort = (reason: unknown): void => both.abort(reason);
    this.#links.push(cancellation.onAbort(abort), onAbort(own, abort));
    return both.signal;
  }

  #heard<T>(say: () => T): T {
    try {
      return say();
    } catch (error) {
      this.#look(error);
      throw error;
    }
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      this.#look(error);
      throw error;
    }
  }

  #look(error: unknown): void {
    if (!this.#over && LOST.some((code) => isTellaskError(error, code))) this.#scene.lost(error);
  }
}

/** A handler's context, in whose conversation the saga runs. */
export function isContext(voice: unknown): voice is Voice & { readonly signal: AbortSignal } {
  if (typeof voice !== 'object' || voice === null) return false;
  return 'signal' in voice && 'remainingMs' in voice;
}
