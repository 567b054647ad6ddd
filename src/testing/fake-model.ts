import type { Agent } from '../agents/agent.ts';
import type { Context } from '../delivery/context.ts';
import { onAbort } from '../kernel/abort.ts';
import type { Env } from '../kernel/env.ts';
import { envOf } from '../kernel/env-of.ts';
import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import { seededRandom } from './seeded-random.ts';

/** What a fake model says to what it is asked. The first rule that fits counts. */
export interface ModelRule {
  /** In the prompt, as a word or a pattern; or a test of what came. @default everything fits */
  readonly when?: string | RegExp | ((prompt: unknown) => boolean);
  /** A text, which is streamed word by word, or any other value, which comes at the end. */
  readonly reply?: unknown;
  /** Fails with this error; after the text of `reply`, if there is one. */
  readonly fail?: unknown;
  /** Milliseconds before the first word. @default that of the model */
  readonly latencyMs?: number;
}

/** Options of {@link fakeModel}. */
export interface FakeModelOptions {
  /** What it serves. @default 'model.complete' */
  readonly topic?: string;
  /** Looked at before `replies`. */
  readonly rules?: readonly ModelRule[];
  /** What it says to one call after the other, when no rule fits. */
  readonly replies?: readonly unknown[];
  /** Milliseconds before the first word: so many, or drawn from between two. @default 0 */
  readonly latencyMs?: number | readonly [min: number, max: number];
  /** How fast it speaks. A token is four characters, rounded up. @default Infinity */
  readonly tokensPerSecond?: number;
  /** What a token costs that it reads or says. @default 0 */
  readonly costPerToken?: number;
  /** Of the latency. @default drawn from the seed of the test bus; 1 on a real bus */
  readonly seed?: number;
}

/** One call of a fake model. */
export interface ModelCall {
  readonly prompt: unknown;
  /** What it was going to say. */
  readonly reply: unknown;
  readonly inputTokens: number;
  /** Said so far. */
  readonly outputTokens: number;
  readonly cost: number;
  /** `failed` when it was told to, or the budget was spent; `cancelled` when nobody waited any more. */
  readonly outcome: 'running' | 'replied' | 'failed' | 'cancelled';
}

/** A language model that costs nothing; see {@link fakeModel}. */
export interface FakeModel {
  /** Oldest first. */
  readonly calls: readonly ModelCall[];
  /** Fails the next calls with this error, before a word. */
  failNext(error: unknown, times?: number): void;
  /** Lets the next calls wait so long for the first word. */
  slowNext(latencyMs: number, times?: number): void;
}

const KNOWN: ReadonlySet<string> = new Set([
  'topic',
  'rules',
  'replies',
  'latencyMs',
  'tokensPerSecond',
  'costPerToken',
  'seed',
]);

/**
 * Makes an agent a language model that says what it is told to: with the latency, the speed and the
 * costs of a real one, on the clock of the bus. It streams texts word by word, draws tokens and cost
 * from the budget of the conversation as it goes, and stops when nobody waits for it any more.
 *
 * @throws TypeError, RangeError for options that make no sense.
 * @example
 * ```ts
 * import { createTestBus, fakeModel } from 'tellask/testing';
 * const t = createTestBus();
 * const model = fakeModel(t.bus.register('model', { concurrency: 8 }), {
 *   rules: [{ when: /weather/, reply: 'Rain, all day long.' }],
 *   latencyMs: 400,
 *   tokensPerSecond: 50,
 *   costPerToken: 0.001,
 * });
 * const asked = t.bus.request('model.complete', 'How is the weather?', { budget: { tokens: 100 } });
 * await t.run();
 * await asked; // => 'Rain, all day long.'
 * model.calls.map(({ inputTokens, outputTokens }) => inputTokens + outputTokens); // => [11]
 * t.clock.nowMs >= 500; // => true
 * ```
 */
export function fakeModel<C extends ContractShape = AnyContract>(
  agent: Agent<C>,
  options: FakeModelOptions,
): FakeModel {
  refuseUnknown(options, KNOWN, 'fakeModel');
  const model = new Model(options, envOf(agent) as Env);
  const { topic = 'model.complete' } = options;
  const served = agent as unknown as Agent;
  served.serve(topic, ({ payload }, context) => model.answer(payload, context));
  return model;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

class Model implements FakeModel {
  readonly calls: Writable<ModelCall>[] = [];
  readonly #env: Env;
  readonly #rules: readonly (ModelRule & { readonly fits: (prompt: unknown) => boolean })[];
  readonly #replies: readonly unknown[];
  readonly #latencyMs: readonly [min: number, max: number];
  readonly #tokensPerSecond: number;
  readonly #costPerToken: number;
  readonly #random: () => number;
  readonly #failures: { readonly error: unknown }[] = [];
  readonly #delays: number[] = [];
  #replied = 0;

  constructor(options: FakeModelOptions, env: Env) {
    const { rules = [], replies = [], latencyMs = 0 } = options;
    const { tokensPerSecond = Infinity, costPerToken = 0 } = options;
    const [min, max] = typeof latencyMs === 'number' ? [latencyMs, latencyMs] : latencyMs;
    if (rules.length + replies.length === 0) throw misuse('rules or replies', 'given', undefined);
    checkAmount('latencyMs', min, 0);
    checkAmount('latencyMs', max, min);
    checkAmount('costPerToken', costPerToken, 0);
    checkAmount('tokensPerSecond', tokensPerSecond, Number.MIN_VALUE);
    this.#env = env;
    this.#rules = rules.map((rule) => ({ ...rule, fits: fitOf(rule) }));
    this.#replies = replies;
    this.#latencyMs = [min, max];
    this.#tokensPerSecond = tokensPerSecond;
    this.#costPerToken = costPerToken;
    this.#random = seededRandom(options.seed ?? (env.direct || min === max ? 1 : drawSeed(env)));
  }

  failNext(error: unknown, times = 1): void {
    for (let i = 0; i < times; i++) this.#failures.push({ error });
  }

  slowNext(latencyMs: number, times = 1): void {
    checkAmount('latencyMs', latencyMs, 0);
    for (let i = 0; i < times; i++) this.#delays.push(latencyMs);
  }

  async *answer(prompt: unknown, context: Context): AsyncGenerator<string, unknown> {
    const rule = this.#ruleFor(prompt);
    const call = this.#begin(prompt, rule.reply);
    try {
      yield* this.#speak(call, rule, context);
      call.outcome = 'replied';
      return rule.reply;
    } catch (error) {
      call.outcome = 'failed';
      throw error;
    } finally {
      // Neither returned nor threw: whoever listened has gone.
      if (call.outcome === 'running' || context.signal.aborted) call.outcome = 'cancelled';
    }
  }

  async *#speak(
    call: Writable<ModelCall>,
    rule: ModelRule,
    context: Context,
  ): AsyncGenerator<string, void> {
    this.#charge(call, call.inputTokens, context);
    await this.#pause(rule.latencyMs ?? this.#latency(), context.signal);
    for (const part of partsOf(rule.reply)) {
      const tokens = tokensOf(part);
      await this.#pause((tokens / this.#tokensPerSecond) * 1_000, context.signal);
      call.outputTokens += tokens;
      this.#charge(call, tokens, context);
      if (typeof rule.reply === 'string') yield part;
    }
    if ('fail' in rule) throw rule.fail;
  }

  #begin(prompt: unknown, reply: unknown): Writable<ModelCall> {
    const inputTokens = tokensOf(textOf(prompt));
    const call: Writable<ModelCall> = {
      prompt,
      reply,
      inputTokens,
      outputTokens: 0,
      cost: 0,
      outcome: 'running',
    };
    this.calls.push(call);
    return call;
  }

  #charge(call: Writable<ModelCall>, tokens: number, context: Context): void {
    const cost = tokens * this.#costPerToken;
    call.cost += cost;
    context.spend({ tokens, cost });
  }

  /** Told failures come before rules, rules before replies. */
  #ruleFor(prompt: unknown): ModelRule {
    const delay = this.#delays.shift();
    const slow = delay === undefined ? {} : { latencyMs: delay };
    const told = this.#failures.shift();
    if (told !== undefined) return { fail: told.error, ...slow };
    const rule = this.#rules.find(({ fits }) => fits(prompt));
    if (rule !== undefined) return { ...rule, ...slow };
    if (this.#replied < this.#replies.length) {
      return { reply: this.#replies[this.#replied++], ...slow };
    }
    return { fail: new Error(`The fake model was told no reply to call ${this.calls.length + 1}`) };
  }

  #latency(): number {
    const [min, max] = this.#latencyMs;
    return min === max ? min : min + this.#random() * (max - min);
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (!(ms > 0)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const stop = onAbort(signal, (reason) => {
        timer.cancel();
        reject(reason);
      });
      const spoken = (): void => {
        stop();
        resolve();
      };
      const timer = this.#env.setTimer(ms, spoken, { label: 'a fake model' });
    });
  }
}

/** Drawn once: what else draws from the Env then does not change what the model does. */
function drawSeed(env: Env): number {
  return Math.floor(env.random() * 2 ** 32);
}

function fitOf({ when }: ModelRule): (prompt: unknown) => boolean {
  if (when === undefined) return () => true;
  if (typeof when === 'function') return when;
  // A fresh one for each prompt: with the flag g, a pattern remembers where it was.
  if (when instanceof RegExp) return (prompt) => new RegExp(when).test(textOf(prompt));
  return (prompt) => textOf(prompt).includes(when);
}

/** Word by word, each with the blanks before it; of anything but a text one part. */
function partsOf(reply: unknown): readonly string[] {
  if (reply === undefined) return [];
  if (typeof reply !== 'string') return [textOf(reply)];
  return reply.match(/\s*\S+\s*$|\s*\S+/g) ?? (reply === '' ? [] : [reply]);
}

function tokensOf(text: string): number {
  return Math.ceil(text.length / 4);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function checkAmount(name: string, amount: unknown, least: number): void {
  if (typeof amount !== 'number') throw misuse(name, 'a number', amount);
  if (amount >= least) return;
  const range = least === Number.MIN_VALUE ? 'more than 0' : `${least} or more`;
  throw new RangeError(`${name} must be ${range}, but it is ${amount}`);
}
