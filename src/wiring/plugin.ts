import type { Agent, AgentOptions, SubscriptionHandle } from '../agents/agent.ts';
import type { BusEvents } from '../delivery/bus-events.ts';
import type { Context } from '../delivery/context.ts';
import type { HostSubscribeOptions } from '../delivery/handler-options.ts';
import type { Middleware } from '../delivery/middleware.ts';
import type { Receipt } from '../delivery/receipt.ts';
import type { PublishOptions, RequestOptions, SendOptions } from '../delivery/speech.ts';
import type { Observer } from '../delivery/tap.ts';
import type { Message } from '../message/message.ts';
import type { Logger } from '../observe/logger.ts';

/**
 * What extends a bus: it is installed whole or not at all, and goes without a trace. Its three stages
 * are `install` (wires, synchronously), `started` (may wait) and what `install` returned (the end).
 */
export interface Plugin {
  /** One segment, unique on the bus; its own topics are `$plugin.{name}.…`. */
  readonly name: string;
  /** For people; nothing is decided by it. */
  readonly version?: string;
  /** Installed before `install` is called, in this order. */
  readonly middleware?: Middleware | readonly Middleware[];
  /** Wires it. What it returns is called when it goes; what it throws undoes what it has done. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a plugin that has nothing to end returns nothing
  install(host: PluginHost): (() => unknown) | void;
  /** Called in the turn after that; may return a promise. When it fails the plugin is taken out. */
  started?(host: PluginHost): unknown;
}

/** A plugin on a bus. */
export interface InstalledPlugin extends AsyncDisposable {
  readonly name: string;
  readonly version: string | undefined;
  readonly status: 'installed' | 'started' | 'uninstalled';
  /** Resolves when `started` is over, rejects with what it failed with. */
  readonly ready: Promise<void>;
  /** Takes it out, with all it has made by its host. May be called again. */
  uninstall(): Promise<void>;
}

/**
 * The bus as a plugin sees it: what is made with it ends with the plugin. After that every call
 * throws PluginGoneError `TELLASK_PLUGIN_GONE`.
 */
export interface PluginHost {
  readonly name: string;
  /** The bus's logger, with the plugin's name in its fields. */
  readonly log: Logger;
  /** Installs a middleware. Returns how to remove it sooner. */
  use(middleware: Middleware): () => void;
  /** Listens as the host, with a mailbox of its own. */
  subscribe(
    pattern: string,
    handler: (message: Message, context: Context) => unknown,
    options?: HostSubscribeOptions,
  ): SubscriptionHandle;
  /** Watches what is admitted. Returns how to stop sooner. */
  tap(pattern: string, observer: Observer): () => void;
  /** Hears the library about itself. Returns how to stop sooner. */
  on<Name extends keyof BusEvents & string>(
    event: Name,
    listener: (...args: BusEvents[Name]) => unknown,
  ): () => void;
  /** Registers an agent, for what it answers and where it speaks for itself. */
  register(name: string, options?: AgentOptions): Agent;
  /** Tells every matching subscription, as the host. */
  publish(topic: string, payload: unknown, options?: PublishOptions): Receipt;
  /** Puts one message into one agent's mailbox, as the host. */
  send(to: string, topic: string, payload: unknown, options?: SendOptions): Receipt;
  /** Asks one of those who serve the topic, as the host. */
  request(topic: string, input: unknown, options?: RequestOptions): Promise<unknown>;
  /**
   * Says something on a topic of its own: `say('rotated', …)` is heard on `$plugin.{name}.rotated`.
   * No contract has to name it, no wildcard that begins a pattern hears it, and its failures make no
   * letters.
   */
  say(topic: string, payload: unknown): void;
  /** Calls back once, after so many milliseconds. Returns how to take it back. */
  after(delayMs: number, callback: () => unknown): () => void;
  /** Calls back again and again. Gotcha: an idle bus with such a plugin is not idle. */
  every(periodMs: number, callback: () => unknown): () => void;
}
