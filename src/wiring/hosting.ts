import type { AgentHost, AgentInfo } from '../agents/agent.ts';
import type { AgentRecord } from '../agents/agent-record.ts';
import type { HandlePermits } from '../agents/permits.ts';
import type { Attempt, House } from '../delivery/attempt.ts';
import type { BroadcastReceipt } from '../delivery/broadcast.ts';
import { type ForwardOptions, type ForwardTo, forward } from '../delivery/forward.ts';
import type { Gathered } from '../delivery/gathering.ts';
import type { AnswerLater, DeferOptions, Later } from '../delivery/later.ts';
import type { Receipt } from '../delivery/receipt.ts';
import type { ServedView } from '../delivery/served.ts';
import type { ShutdownParts } from '../delivery/shutdown.ts';
import type {
  BroadcastOptions,
  GatherOptions,
  PublishOptions,
  Recipients,
  RequestOptions,
  SendOptions,
  Speaker,
  StreamOptions,
} from '../delivery/speech.ts';
import type { MessageStream } from '../delivery/stream.ts';
import type { Permits } from '../delivery/subscription.ts';
import { statusOf, workFacts } from '../delivery/whereabouts.ts';
import type { WorkerStatus } from '../delivery/worker.ts';
import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import type { Message } from '../message/message.ts';
import { type Logger, withFields } from '../observe/logger.ts';
import type { StateView } from '../state/state-view.ts';
import { Answers } from './answers.ts';
import { HOST, Listening } from './listening.ts';
import type { Wiring } from './wiring.ts';

type Runs = ReturnType<Wiring['running']['byWorker']>;

/** What handles, handlers and the bus itself have done on the wiring. */
export class Hosting implements AgentHost, House {
  readonly listening: Listening;
  readonly #wiring: Wiring;
  readonly #answers: Answers;
  readonly #closeBus: () => Promise<unknown>;

  constructor(wiring: Wiring, closeBus: () => Promise<unknown>) {
    this.#wiring = wiring;
    this.#closeBus = closeBus;
    this.#answers = new Answers(wiring);
    this.listening = new Listening(wiring, this.#answers);
  }

  get env(): Env {
    return this.#wiring.env;
  }

  now(): number {
    return this.#wiring.env.now();
  }

  /** It begins a new conversation, unless the bus has ambient context and a handler calls. */
  speaker(name: string, permits?: HandlePermits): Speaker {
    return this.#wiring.ambient?.speaker(name, permits) ?? { name, cause: undefined, permits };
  }

  publish(speaker: Speaker, topic: string, payload: unknown, options?: PublishOptions): Receipt {
    return this.#wiring.admitter.publish(speaker, topic, payload, options);
  }

  send(
    speaker: Speaker,
    to: string,
    topic: string,
    payload: unknown,
    options?: SendOptions,
  ): Receipt {
    return this.#wiring.admitter.send(speaker, to, topic, payload, options);
  }

  request(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options?: RequestOptions,
  ): Promise<unknown> {
    return this.#wiring.ask.request(speaker, topic, payload, options);
  }

  broadcast(
    speaker: Speaker,
    to: Recipients,
    topic: string,
    payload: unknown,
    options?: BroadcastOptions,
  ): BroadcastReceipt {
    return this.#wiring.broadcast.broadcast(speaker, to, topic, payload, options);
  }

  gather(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options?: GatherOptions,
  ): Promise<Gathered> {
    return this.#wiring.gather.gather(speaker, topic, payload, options);
  }

  stream(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options?: StreamOptions,
  ): MessageStream {
    return this.#wiring.ask.stream(speaker, topic, payload, options);
  }

  served(name: string, permits?: Permits): ServedView {
    const { contract, registry, authority } = this.#wiring;
    return {
      contract,
      mayAsk: (topic) => {
        if (authority?.allows(name, 'request', topic) === false) return false;
        return permits === undefined || mayBy(permits, topic);
      },
      *all({ agent, capability }) {
        const one = agent === undefined ? undefined : registry.get(agent);
        const records = agent === undefined ? registry.all() : one === undefined ? [] : [one];
        for (const { name: agent, capabilities, subscriptions } of records) {
          if (capability !== undefined && !capabilities.has(capability)) continue;
          for (const { kind, pattern } of subscriptions) {
            if (kind === 'serve') yield { agent, pattern };
          }
        }
      },
    };
  }

  pause(record: AgentRecord): void {
    const before = record.worker.status;
    if (record.supervision !== undefined) record.supervision.paused = true;
    this.#wiring.dispatcher.spill();
    for (const worker of record.workers) {
      if (worker.status === 'open') worker.status = 'paused';
    }
    this.#tellStatus(record, before);
  }

  resume(record: AgentRecord): void {
    const before = record.worker.status;
    const { supervision } = record;
    if (supervision !== undefined) {
      supervision.paused = false;
      // It goes on when its new life has begun.
      if (supervision.suspended) return;
    }
    for (const worker of record.workers) {
      if (worker.status === 'paused') worker.status = 'open';
      worker.wake();
    }
    this.#tellStatus(record, before);
  }

  leave(record: AgentRecord): Promise<void> {
    return this.#wiring.membership.leave(record);
  }

  async restart({ name, supervision }: AgentRecord, reason: string): Promise<void> {
    if (typeof reason !== 'string') throw misuse('The reason of restart', 'a string', reason);
    if (supervision !== undefined) return supervision.restart(reason);
    throw new TypeError(`${name} cannot be restarted: register it with start`);
  }

  log(record: AgentRecord): Logger {
    return withFields(this.#wiring.logger, () => ({ agent: record.name }));
  }

  info(record: AgentRecord, runs: Runs = this.#wiring.running.byWorker()): AgentInfo {
    this.#wiring.dispatcher.spill();
    const { origin, env } = this.#wiring;
    const { name, capabilities, worker } = record;
    const { mailbox, options } = worker;
    const work = workFacts(record.workers, runs, env.now());
    const status = statusOf(worker);
    return {
      name,
      capabilities: [...capabilities],
      status:
        record.supervision?.status ?? (status === 'idle' && work.running > 0 ? 'busy' : status),
      running: worker.running,
      runningInLanes: work.running - worker.running,
      ...instant('busySince', work.busySince, origin.wallAtZero),
      ...instant('hungSince', work.hungSince, origin.wallAtZero),
      abandoned: work.abandoned,
      queued: mailbox.size,
      waiting: mailbox.waiting,
      highWater: mailbox.highWater,
      capacity: options.capacity,
      concurrency: options.concurrency,
    };
  }

  // ---- for the contexts of running handlers

  reply(attempt: Attempt, value: unknown): boolean {
    const { ledger } = this.#wiring;
    if (attempt.deferral !== undefined) return attempt.deferral.answer(value);
    const { asker } = attempt.delivery.admission;
    if (asker === undefined) {
      ledger.foreignReplies++;
      return false;
    }
    if (attempt.delivery.replied) {
      ledger.duplicateReplies++;
      return false;
    }
    // An answer that is refused here is none: what the handler returns may still be one.
    const answer = this.answerOf(attempt.message, value);
    attempt.delivery.replied = true;
    attempt.delivery.flags = { ...attempt.delivery.flags, reply: { value: answer } };
    return asker.answer(answer);
  }

  /** Like everything that is said, an update belongs to the library once it was given. */
  progress({ asker }: Attempt, update: unknown): void {
    asker?.progress(this.#wiring.keeper.keep(update));
  }

  state(speaker: Speaker): StateView {
    return this.#wiring.desk().ofAgent(speaker);
  }

  stateOf(attempt: Attempt): StateView {
    return this.#wiring.desk().ofHandler(attempt);
  }

  defer(attempt: Attempt, work: AnswerLater | undefined, options?: DeferOptions): Later {
    return this.#wiring.deferrals.open(attempt, work, options);
  }

  forward(attempt: Attempt, to: ForwardTo, options?: ForwardOptions): Later {
    return forward(this.#wiring, attempt, to, options);
  }

  /** An answer as the contract gives it back, in the library's own. */
  answerOf(message: Message, value: unknown): unknown {
    return this.#answers.answerOf(message, value);
  }

  close(attempt: Attempt): Promise<void> {
    const { registry, membership, ledger } = this.#wiring;
    const { delivery } = attempt;
    const { permits } = delivery.subscription;
    if (permits !== undefined) {
      // Who has left may have a successor of the same name: that one is not his to end.
      const record = permits.alive ? registry.get(attempt.agent) : undefined;
      return record === undefined ? Promise.resolve() : membership.leave(record, delivery);
    }
    // The messages of a batch share one handler: nobody waits for any of them.
    for (const one of attempt.batch?.attempts ?? [attempt]) this.#exempt(one);
    ledger.idleNow();
    return this.#closeBus().then(() => undefined);
  }

  #exempt({ running, delivery }: Attempt): void {
    if (!running || delivery.flags.exempt) return;
    delivery.flags = { ...delivery.flags, exempt: true };
    this.#wiring.ledger.exempt++;
  }

  logOf(attempt: Attempt): Logger {
    const { agent, message } = attempt;
    return withFields(this.#wiring.logger, () => ({
      agent,
      topic: message.topic,
      messageId: message.id,
      correlationId: message.correlationId,
    }));
  }

  // ---- for the bus

  speakerNamed(name: string): Speaker | undefined {
    if (name !== HOST && this.#wiring.registry.get(name) === undefined) return undefined;
    return { name, cause: undefined };
  }

  #tellStatus({ name, worker }: AgentRecord, before: WorkerStatus): void {
    if (worker.status === before) return;
    const notice = { agent: name, status: statusOf(worker) };
    this.#wiring.admitter.sayOwn('$bus.agent.status', notice, undefined);
  }

  shutdownParts(): ShutdownParts {
    const wiring = this.#wiring;
    const { env, ledger, outcomes, dispatcher, requests, calls, deferrals } = wiring;
    const { running, schedule, letters, graceMs, subscriptions } = wiring;
    return {
      env,
      ledger,
      outcomes,
      dispatcher,
      requests,
      calls,
      deferrals,
      running,
      schedule,
      letters,
      graceMs,
      households: () => subscriptions.households(),
      halt: () => this.#wiring.membership.halt(),
      seal: () => {
        wiring.status = 'closed';
      },
    };
  }
}

function mayBy(permits: Permits, topic: string): boolean {
  try {
    permits.check('request', topic);
    return true;
  } catch {
    return false;
  }
}

/** A monotonic instant as epoch milliseconds; nothing at all when there is none. */
function instant<Name extends 'busySince' | 'hungSince'>(
  name: Name,
  at: number | undefined,
  wallAtZero: number,
): { readonly [N in Name]?: number } {
  if (at === undefined) return {};
  return { [name]: Math.round(wallAtZero + at) } as { readonly [N in Name]?: number };
}
