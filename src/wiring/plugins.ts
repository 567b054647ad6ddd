import type { Agent, AgentOptions, SubscriptionHandle } from '../agents/agent.ts';
import type { BusEvents } from '../delivery/bus-events.ts';
import type { Middleware } from '../delivery/middleware.ts';
import type { Receipt } from '../delivery/receipt.ts';
import { readMs } from '../delivery/said.ts';
import type { PublishOptions, RequestOptions, SendOptions } from '../delivery/speech.ts';
import type { Observer } from '../delivery/tap.ts';
import { Deferred } from '../kernel/deferred.ts';
import type { Env, Lane } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { isThenable, promiseOf } from '../kernel/thenable.ts';
import { checkName, checkTopic } from '../message/topic.ts';
import type { Logger } from '../observe/logger.ts';
import type { InstalledPlugin, Plugin, PluginHost } from './plugin.ts';
import { PluginGoneError } from './plugin-errors.ts';

/** The bus, as far as plugins use it. */
export interface PluginBus {
  readonly events: {
    on(name: keyof BusEvents, listener: (...args: never[]) => unknown): () => void;
  };
  use(middleware: Middleware): () => void;
  subscribe(pattern: string, handler: never, options?: never): SubscriptionHandle;
  tap(pattern: string, observer: Observer): () => void;
  register(name: string, options?: AgentOptions): Agent;
  publish(topic: string, payload: unknown, options?: PublishOptions): Receipt;
  send(to: string, topic: string, payload: unknown, options?: SendOptions): Receipt;
  request(topic: string, input: unknown, options?: RequestOptions): Promise<unknown>;
}

/** What plugins need of their bus. */
export interface PluginParts {
  readonly bus: PluginBus;
  readonly env: Env;
  readonly graceMs: number;
  readonly logOf: (plugin: string) => Logger;
  /** Says something as the bus itself, if anybody listens. */
  readonly say: (topic: string, notice: unknown) => void;
  readonly onFault: (error: unknown, where: string) => void;
}

/** The plugins of a bus, in the order in which they came. */
export class Plugins {
  readonly #parts: PluginParts;
  readonly #installed = new Map<string, Installation>();

  constructor(parts: PluginParts) {
    this.#parts = parts;
  }

  install(plugin: Plugin): InstalledPlugin {
    checkPlugin(plugin);
    if (this.#installed.has(plugin.name)) {
      throw new TypeError(`A plugin named ${plugin.name} is installed already`);
    }
    const gone = (): void => void this.#installed.delete(plugin.name);
    const installation = new Installation(this.#parts, plugin, gone);
    this.#installed.set(plugin.name, installation);
    installation.begin();
    return installation;
  }

  list(): readonly InstalledPlugin[] {
    return [...this.#installed.values()];
  }

  /** The bus ends: the last comes out first; each gets the grace. */
  async close(): Promise<void> {
    for (const installation of [...this.#installed.values()].reverse()) {
      await installation.endWithin(this.#parts.graceMs);
    }
  }
}

/** One plugin from its installation to its end. */
class Installation implements InstalledPlugin, Lane {
  readonly kind = 'timer' as const;
  readonly order: number = Infinity;
  posted = false;
  readonly name: string;
  readonly version: string | undefined;
  readonly #parts: PluginParts;
  readonly #plugin: Plugin;
  readonly #host: Host;
  readonly #gone: () => void;
  readonly #ready = new Deferred<void>();
  #status: InstalledPlugin['status'] = 'installed';
  #end: (() => unknown) | undefined;
  #ending: Promise<void> | undefined;

  constructor(parts: PluginParts, plugin: Plugin, gone: () => void) {
    this.#parts = parts;
    this.#plugin = plugin;
    this.#gone = gone;
    this.name = plugin.name;
    this.version = plugin.version;
    this.#host = new Host(parts, plugin.name);
    this.#ready.promise.catch(() => {});
  }

  get label(): string {
    return `start of plugin ${this.name}`;
  }

  get status(): InstalledPlugin['status'] {
    return this.#status;
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** All of it, or nothing. */
  begin(): void {
    const { middleware = [] } = this.#plugin;
    try {
      for (const one of [middleware].flat()) this.#host.use(one as Middleware);
      const end: unknown = this.#plugin.install(this.#host);
      if (isThenable(end)) {
        promiseOf(end).catch(() => {});
        throw new TypeError(`install of ${this.name} must be synchronous: wait in started`);
      }
      this.#end = typeof end === 'function' ? (end as () => unknown) : undefined;
    } catch (error) {
      void this.uninstall();
      throw error;
    }
    this.#parts.env.post(this);
  }

  /** It is installed: now it may wait for something. */
  run(): void {
    if (this.#status !== 'installed') return;
    try {
      const started = this.#plugin.started?.(this.#host);
      if (!isThenable(started)) this.#started();
      else
        promiseOf(started).then(
          () => this.#started(),
          (error: unknown) => this.#failed(error),
        );
    } catch (error) {
      this.#failed(error);
    }
  }

  uninstall(): Promise<void> {
    this.#ending ??= this.#uninstall();
    return this.#ending;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.uninstall();
  }

  endWithin(graceMs: number): Promise<void> {
    const over = new Deferred<void>();
    const options = { keepAlive: true, label: `end of plugin ${this.name}` };
    const timer = this.#parts.env.setTimer(graceMs, () => over.resolve(), options);
    void this.uninstall().then(() => {
      timer.cancel();
      over.resolve();
    });
    return over.promise;
  }

  #started(): void {
    if (this.#status !== 'installed') return;
    this.#status = 'started';
    this.#ready.resolve();
  }

  #failed(error: unknown): void {
    if (this.#status !== 'installed') return;
    this.#parts.onFault(error, `start of plugin ${this.name}`);
    this.#ready.reject(error);
    void this.uninstall();
  }

  async #uninstall(): Promise<void> {
    const fault = (error: unknown): void =>
      this.#parts.onFault(error, `end of plugin ${this.name}`);
    this.#status = 'uninstalled';
    this.#gone();
    this.#ready.reject(new PluginGoneError(this.name, 'started'));
    try {
      const ended = this.#end?.();
      if (isThenable(ended)) await promiseOf(ended);
    } catch (error) {
      fault(error);
    }
    await this.#host.end(fault);
  }
}

/** Notes how to undo all that is done with it. */
class Host implements PluginHost {
  readonly name: string;
  readonly #parts: PluginParts;
  readonly #undo = new Set<() => unknown>();
  #open = true;

  constructor(parts: PluginParts, name: string) {
    this.#parts = parts;
    this.name = name;
  }

  get log(): Logger {
    return this.#parts.logOf(this.name);
  }

  use(middleware: Middleware): () => void {
    return this.#keep(this.#bus('use').use(middleware));
  }

  subscribe: PluginHost['subscribe'] = (pattern, handler, options = {}) => {
    const bus = this.#bus('subscribe');
    const handle = bus.subscribe(pattern, handler as never, options as never);
    this.#keep(() => handle.unsubscribe());
    return handle;
  };

  tap(pattern: string, observer: Observer): () => void {
    return this.#keep(this.#bus('tap').tap(pattern, observer));
  }

  on: PluginHost['on'] = (event, listener) =>
    this.#keep(this.#bus('on').events.on(event, listener as never));

  register(name: string, options: AgentOptions = {}): Agent {
    const agent = this.#bus('register').register(name, options);
    this.#keep(() => agent.leave());
    return agent;
  }

  publish(topic: string, payload: unknown, options?: PublishOptions): Receipt {
    return this.#bus('publish').publish(topic, payload, options);
  }

  send(to: string, topic: string, payload: unknown, options?: SendOptions): Receipt {
    return this.#bus('send').send(to, topic, payload, options);
  }

  async request(topic: string, input: unknown, options?: RequestOptions): Promise<unknown> {
    return this.#bus('request').request(topic, input, options);
  }

  say(topic: string, payload: unknown): void {
    this.#bus('say');
    const own = `$plugin.${this.name}.${topic}`;
    checkTopic(own);
    this.#parts.say(own, payload);
  }

  after(delayMs: number, callback: () => unknown): () => void {
    this.#bus('after');
    readMs('delayMs', delayMs);
    const undo = this.#keep(() => timer.cancel());
    const timer = this.#setTimer(delayMs, () => {
      this.#undo.delete(undo);
      this.#call(callback);
    });
    return undo;
  }

  every(periodMs: number, callback: () => unknown): () => void {
    this.#bus('every');
    readMs('periodMs', periodMs);
    if (!(periodMs >= 1)) {
      throw new RangeError(`periodMs must be a number from 1, but it is ${periodMs}`);
    }
    let timer = this.#setTimer(periodMs, tick.bind(this));
    const undo = this.#keep(() => timer.cancel());
    function tick(this: Host): void {
      timer = this.#setTimer(periodMs, tick.bind(this));
      this.#call(callback);
    }
    return undo;
  }

  /** The last that was done is undone first. */
  async end(fault: (error: unknown) => void): Promise<void> {
    this.#open = false;
    const leaving: Promise<unknown>[] = [];
    for (const undo of [...this.#undo].reverse()) {
      try {
        const undone = undo();
        if (isThenable(undone)) leaving.push(promiseOf(undone).catch(fault));
      } catch (error) {
        fault(error);
      }
    }
    this.#undo.clear();
    await Promise.all(leaving);
  }

  #bus(action: string): PluginBus {
    if (!this.#open) throw new PluginGoneError(this.name, action);
    return this.#parts.bus;
  }

  /** What is undone by hand is not undone again. */
  #keep(undo: () => unknown): () => void {
    const once = (): unknown => (this.#undo.delete(once) ? undo() : undefined);
    this.#undo.add(once);
    return once;
  }

  #setTimer(delayMs: number, fn: () => void): ReturnType<Env['setTimer']> {
    return this.#parts.env.setTimer(delayMs, fn, { label: `plugin ${this.name}` });
  }

  #call(callback: () => unknown): void {
    const fault = (error: unknown): void =>
      this.#parts.onFault(error, `timer of plugin ${this.name}`);
    try {
      const result = callback();
      if (isThenable(result)) promiseOf(result).catch(fault);
    } catch (error) {
      fault(error);
    }
  }
}

function checkPlugin(plugin: Plugin): void {
  if (typeof plugin !== 'object' || plugin === null) {
    throw misuse('The plugin', 'an object with a name and install', plugin);
  }
  checkName(plugin.name);
  const { install, started, version } = plugin;
  if (typeof install !== 'function') throw misuse('install', 'a function of the host', install);
  if (started !== undefined && typeof started !== 'function') {
    throw misuse('started', 'a function of the host', started);
  }
  if (version !== undefined && typeof version !== 'string') {
    throw misuse('version', 'a string', version);
  }
}
