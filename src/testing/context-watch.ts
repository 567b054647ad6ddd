import { Ambient, Surroundings } from '../delivery/ambient.ts';
import type { Attempt, House } from '../delivery/attempt.ts';
import type { Cause, Speaker } from '../delivery/speech.ts';
import type { Invoke, Permits } from '../delivery/subscription.ts';
import { placeOutside } from './place.ts';

/** Which handler runs, on whatever test bus: tests run side by side. */
export const handlers: Surroundings<Attempt> = new Surroundings<Attempt>();

/** What watches the handlers of a test bus. */
export interface HandlerWatcher {
  /** A handler begins. */
  began(attempt: Attempt): void;
  /** A handler spoke, and not on its context. */
  spoke(line: string): void;
}

/** Options of {@link ContextWatch}. */
export interface ContextWatchOptions {
  /** The bus has ambient context. */
  readonly inherits: boolean;
  /** `spoke` is called. */
  readonly tells: boolean;
}

/**
 * Knows inside of which handler of a test bus code runs. What is said on a handle there begins a new
 * conversation, as in production, and is noted: most often the context was forgotten.
 */
export class ContextWatch extends Ambient {
  readonly #watcher: HandlerWatcher;
  /** The bus has ambient context: what is said on a handle inherits, and nothing is lost. */
  readonly #inherits: boolean;
  /** Whether anybody wants to know. */
  readonly #tells: boolean;
  /** The bus, as its handlers know it. */
  #house: House | undefined;

  constructor(watcher: HandlerWatcher, { inherits, tells }: ContextWatchOptions) {
    super();
    this.#watcher = watcher;
    this.#inherits = inherits;
    this.#tells = tells;
  }

  override speaker(name: string, permits: Permits | undefined): Speaker {
    if (this.#inherits) return super.speaker(name, permits);
    // The place where somebody spoke costs more than the message.
    if (!this.#tells) return { name, cause: undefined, permits };
    const said: Speaker['said'] = (action, topic, options) =>
      this.#said(action, name, topic, options);
    return { name, cause: undefined, permits, said };
  }

  override get cause(): Cause | undefined {
    return this.#inherits ? super.cause : undefined;
  }

  override around(invoke: Invoke): Invoke {
    const inner = this.#inherits ? super.around(invoke) : invoke;
    return (message, context) => {
      this.#house ??= context.worker.house;
      this.#watcher.began(context);
      return handlers.run(context, () => inner(message, context));
    };
  }

  override bind<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
    const { current } = handlers;
    const inner = this.#inherits ? super.bind(fn) : fn;
    return (...args) => handlers.run(current, () => inner(...args));
  }

  override outside<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
    const inner = this.#inherits ? super.outside(fn) : fn;
    return (...args) => handlers.run(undefined, () => inner(...args));
  }

  #said(action: string, name: string, topic: string, options: unknown): void {
    const attempt = handlers.current;
    // Of another bus it says nothing, and when it has ended nobody waits for its conversation.
    if (attempt === undefined || !attempt.heard || attempt.worker.house !== this.#house) return;
    if ((options as { readonly detached?: unknown } | undefined)?.detached === true) return;
    const handle = name === '$host' ? 'bus' : name;
    const call = `${handle}.${action}('${topic}')`;
    this.#watcher.spoke(`${call} in ${handlerOf(attempt)}, at ${placeOutside()}`);
  }
}

/** A handler, as failures name it. */
export function handlerOf({ agent, handlerName, message }: Attempt): string {
  const named = handlerName === '' ? '' : ` ${handlerName}`;
  return `the handler${named} of ${agent} for ${message.topic} (${message.id})`;
}
