import type { Agent } from '../agents/agent.ts';
import type { Context, Voice } from '../delivery/context.ts';
import { Deferred } from '../kernel/deferred.ts';
import { envOf } from '../kernel/env-of.ts';
import { misuse } from '../kernel/errors.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import type { Message } from '../message/message.ts';
import { describeMessage, hasAtLeast, show, testOf } from './message-filter.ts';
import { ScriptError } from './script-error.ts';
import { checkSteps, describeStep, type ScriptStep, type Want, wantOf } from './script-step.ts';
import { SimEnv } from './sim-env.ts';

/** Options of {@link scripted}. */
export interface ScriptedOptions {
  /**
   * What becomes of a message on a topic of the script that is not the one it waits for: it fails
   * the script, or it is handled without a word, a request refused. @default 'fail'
   */
  readonly others?: 'fail' | 'skip';
}

/** A script that is being played. */
export interface Script {
  /**
   * Runs the test bus to quiescence, skipping all waiting, and resolves when every step was played.
   *
   * @throws ScriptError that names the step, what it waited for and what came instead.
   */
  done(): Promise<void>;
}

/**
 * Lets an agent of a test bus play a script: it waits for what others say, and says its lines. What
 * it says between two steps that expect belongs to the conversation of what came before. It hears
 * the topics that its script names, from this call on; its first line comes in a later turn.
 *
 * @throws TypeError, RangeError for a script that no run could bear out, such as a request without
 * an answer.
 * @example
 * ```ts
 * import { createTestBus, scripted } from 'tellask/testing';
 * const t = createTestBus();
 * t.bus.register('buyer').subscribe('offer.made', async (message, context) => {
 *   const verdict = await context.request('approve.spend', { euros: message.payload });
 *   context.publish('offer.answered', verdict);
 * });
 * const boss = scripted(t.bus.register('boss'), [
 *   { publish: 'offer.made', payload: 40 },
 *   { expectRequest: { topic: 'approve.spend', payload: { euros: 40 } } },
 *   { waitMs: 10_000 },
 *   { reply: 'approved' },
 *   { expect: { topic: 'offer.answered', payload: 'approved' } },
 * ]);
 * await boss.done();
 * t.clock.nowMs >= 10_000; // => true
 * ```
 */
export function scripted<C extends ContractShape = AnyContract>(
  agent: Agent<C>,
  steps: readonly ScriptStep[],
  options: ScriptedOptions = {},
): Script {
  const env = envOf(agent);
  if (!(env instanceof SimEnv)) throw misuse('agent', 'an agent of a test bus', agent);
  checkSteps(steps);
  const play = new Play(agent as unknown as Agent, env, steps, options.others ?? 'fail');
  play.listen();
  env.setTimer(0, () => void play.perform(), { label: `script of ${agent.name}` });
  return {
    async done() {
      await env.run();
      play.check();
    },
  };
}

/** A message that has come and is being handled: its handler ends when `over` does. */
interface Arrival {
  readonly message: Message;
  readonly context: Context;
  readonly isRequest: boolean;
  readonly over: Deferred<unknown>;
}

/** One performance of one script. */
class Play {
  readonly #agent: Agent;
  readonly #env: SimEnv;
  readonly #steps: readonly ScriptStep[];
  readonly #others: 'fail' | 'skip';
  /** Those who came and whose turn has not come. */
  readonly #arrivals: Arrival[] = [];
  /** Told when somebody comes, or when it is too late. */
  #awaited: Deferred<void> | undefined;
  #atHand: Arrival | undefined;
  /** How many steps were played. */
  #played = 0;
  #failure: ScriptError | undefined;

  constructor(agent: Agent, env: SimEnv, steps: readonly ScriptStep[], others: 'fail' | 'skip') {
    this.#agent = agent;
    this.#env = env;
    this.#steps = steps;
    this.#others = others;
  }

  listen(): void {
    const wants = this.#steps.map(wantOf).filter((want) => want !== undefined);
    const asked = new Set(wants.filter(({ isRequest }) => isRequest).map(({ topic }) => topic));
    for (const topic of asked) {
      this.#agent.serve(topic, (message, context) => this.#come(message, context, true));
    }
    const heard = [
      ...new Set(wants.filter(({ isRequest }) => !isRequest).map(({ topic }) => topic)),
    ];
    for (const [index, topic] of heard.entries()) {
      // Two patterns of one script may fit one message: it came once.
      const earlier = heard.slice(0, index).map((other) => testOf(other));
      this.#agent.subscribe(topic, (message, context) => {
        if (earlier.some((test) => test(message))) return undefined;
        return this.#come(message, context, false);
      });
    }
  }

  async perform(): Promise<void> {
    try {
      for (const step of this.#steps) {
        await this.#play(step);
        this.#played++;
      }
      this.#end(undefined);
      if (this.#arrivals.length > 0) this.#refuseLate();
    } catch (error) {
      this.#fail(error);
    }
  }

  check(): void {
    const step = this.#steps[this.#played];
    if (this.#failure === undefined && step !== undefined) {
      this.#fail(this.#error(`${expected(step)}, but nothing came`));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  // ---- those who come

  #come(message: Message, context: Context, isRequest: boolean): unknown {
    const arrival = { message, context, isRequest, over: new Deferred<unknown>() };
    this.#arrivals.push(arrival);
    if (this.#failure !== undefined) this.#sendAway();
    else if (this.#played === this.#steps.length) this.#refuseLate();
    else this.#awaited?.resolve();
    return arrival.over.promise;
  }

  #refuseLate(): void {
    const [late] = this.#arrivals;
    if (late === undefined || this.#others === 'skip') this.#sendAway();
    else this.#fail(this.#error(`${describeMessage(late.message)} came after the last step`));
  }

  /** Nobody waits for them any more. */
  #sendAway(): void {
    for (const arrival of this.#arrivals.splice(0)) this.#skip(arrival);
  }

  #skip({ isRequest, message, over }: Arrival): void {
    const failure = this.#failure ?? this.#error(`no answer to ${message.topic} is written there`);
    if (isRequest) over.reject(failure);
    else over.resolve(undefined);
  }

  // ---- steps

  async #play(step: ScriptStep): Promise<void> {
    const want = wantOf(step);
    if (want !== undefined) return this.#expect(step, want);
    const voice: Voice = this.#atHand?.context ?? this.#agent;
    if ('reply' in step) this.#end(step.reply);
    else if ('fail' in step) this.#end(undefined, { error: step.fail });
    else if ('publish' in step) voice.publish(step.publish, step.payload, step.options);
    else if ('send' in step) voice.send(step.to, step.send, step.payload, step.options);
    else if ('request' in step) await this.#ask(voice, step);
    else if ('waitMs' in step) await this.#sleep(step.waitMs);
  }

  async #expect(step: ScriptStep, want: Want): Promise<void> {
    this.#end(undefined);
    const fits = testOf(want.filter);
    const until = this.#env.now() + want.withinMs;
    for (;;) {
      const arrival = this.#arrivals.shift() ?? (await this.#next(step, until));
      if (arrival.isRequest === want.isRequest && fits(arrival.message)) {
        this.#atHand = arrival;
        return;
      }
      if (this.#others === 'fail') {
        this.#arrivals.unshift(arrival);
        throw this.#error(`${expected(step)}, but ${came(arrival, want)} came instead`);
      }
      this.#skip(arrival);
    }
  }

  /** The next who comes; throws when it is too late. */
  async #next(step: ScriptStep, until: number): Promise<Arrival> {
    const awaited = new Deferred<void>();
    this.#awaited = awaited;
    const leftMs = until - this.#env.now();
    const timer =
      leftMs === Infinity
        ? undefined
        : this.#env.setTimer(leftMs, () => awaited.resolve(), { label: 'a step of a script' });
    await awaited.promise;
    timer?.cancel();
    const arrival = this.#arrivals.shift();
    if (arrival !== undefined) return arrival;
    throw this.#error(`${expected(step)}, but nothing came in time`);
  }

  async #ask(voice: Voice, step: Extract<ScriptStep, { request: string }>): Promise<void> {
    const answer: unknown = await voice.request(step.request, step.payload, step.options);
    if (!('answer' in step) || hasAtLeast(answer, step.answer)) return;
    throw this.#error(`${step.request} was answered with ${show(answer)}`);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#env.setTimer(ms, resolve, { label: 'a pause of a script' });
    });
  }

  // ---- ends

  /** Ends the handling of what came last. */
  #end(value: unknown, failed?: { readonly error: unknown }): void {
    const arrival = this.#atHand;
    this.#atHand = undefined;
    if (failed === undefined) arrival?.over.resolve(value);
    else arrival?.over.reject(failed.error);
  }

  #fail(cause: unknown): void {
    this.#failure =
      cause instanceof ScriptError
        ? cause
        : this.#error(`${describeStep(this.#steps[this.#played] as ScriptStep)} failed`, cause);
    if (this.#atHand !== undefined) this.#arrivals.push(this.#atHand);
    this.#atHand = undefined;
    this.#sendAway();
  }

  #error(what: string, cause?: unknown): ScriptError {
    const { name } = this.#agent;
    const number = this.#played + 1;
    const where = number > this.#steps.length ? 'The end' : `Step ${number}`;
    const text = `${where} of ${this.#steps.length} of the script of ${name}: ${what}`;
    return new ScriptError(name, number, text, cause === undefined ? undefined : { cause });
  }
}

function expected(step: ScriptStep): string {
  return `expected ${describeStep(step)}`;
}

function came({ message }: Arrival, { filter }: Want): string {
  const said = describeMessage(message);
  return filter.payload === undefined ? said : `${said} with ${show(message.payload)}`;
}
