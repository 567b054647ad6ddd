import { Membership } from '../agents/membership.ts';
import { Registry } from '../agents/registry.ts';
import { Admitter, type BusStatus } from '../delivery/admitter.ts';
import { AMBIENT, Ambient, OutsideEnv } from '../delivery/ambient.ts';
import { Arrivals } from '../delivery/arrivals.ts';
import { Ask } from '../delivery/ask.ts';
import type { Attempt } from '../delivery/attempt.ts';
import { Authority } from '../delivery/authority.ts';
import { Broadcast } from '../delivery/broadcast.ts';
import type { BusEvents } from '../delivery/bus-events.ts';
import { CallingOff } from '../delivery/calling-off.ts';
import { Chooser } from '../delivery/chooser.ts';
import type { DeadLetters } from '../delivery/dead-letters.ts';
import { Dedupe } from '../delivery/dedupe.ts';
import { Deferrals } from '../delivery/deferrals.ts';
import { Dispatcher } from '../delivery/dispatcher.ts';
import { UnknownRecipientError } from '../delivery/errors.ts';
import { Gather } from '../delivery/gather.ts';
import { Guard } from '../delivery/guard.ts';
import { readMailbox } from '../delivery/handler-options.ts';
import { LateReplies } from '../delivery/late-replies.ts';
import { Ledger } from '../delivery/ledger.ts';
import { MiddlewareChain } from '../delivery/middleware.ts';
import { OpenCalls } from '../delivery/open-calls.ts';
import { Outcomes } from '../delivery/outcomes.ts';
import { PayloadKeeper } from '../delivery/payload-keeper.ts';
import { Permissions } from '../delivery/permissions.ts';
import { Posing } from '../delivery/posing.ts';
import { Questions } from '../delivery/question.ts';
import { Refusals } from '../delivery/refusals.ts';
import { Requests } from '../delivery/requests.ts';
import { ResilientAsk } from '../delivery/resilient-ask.ts';
import { Responders } from '../delivery/responders.ts';
import { Retained } from '../delivery/retained.ts';
import { Revocation } from '../delivery/revocation.ts';
import { Route } from '../delivery/route.ts';
import { Running } from '../delivery/running.ts';
import { Schedule } from '../delivery/schedule.ts';
import { Scribe } from '../delivery/scribe.ts';
import type { Selection } from '../delivery/selection.ts';
import type { Subscription } from '../delivery/subscription.ts';
import { Subscriptions } from '../delivery/subscriptions.ts';
import { Taps } from '../delivery/taps.ts';
import { TurnClock } from '../delivery/turn-clock.ts';
import type { Workshop } from '../delivery/worker.ts';
import type { Env } from '../kernel/env.ts';
import { GuardedEvents } from '../kernel/events.ts';
import { realEnv } from '../kernel/real-env.ts';
import type { Contract } from '../message/contract.ts';
import type { Envelope, Origin } from '../message/envelope.ts';
import type { Pattern } from '../message/pattern.ts';
import { checkTopic } from '../message/topic.ts';
import { guardLogger, type Logger, silentLogger } from '../observe/logger.ts';
import { Metrics } from '../observe/metrics.ts';
import { retryBudget } from '../resilience/retry-budget.ts';
import { Router } from '../routing/router.ts';
import type { LockInspection } from '../state/lock-table.ts';
import type { StateHome } from '../state/on-bus.ts';
import {
  type BusOptions,
  DEFAULTS,
  MAILBOX_DEFAULTS,
  readFallbacks,
  readRetryBudget,
} from './bus-options.ts';
import { type Fault, Faults } from './faults.ts';
import { Hosting } from './hosting.ts';
import { makeLetters } from './letters.ts';
import { type BusLimits, readLimits } from './limits.ts';
import { StateDesk } from './state-desk.ts';

/** The options with the contract as it is at run time. */
type WiringOptions = Omit<BusOptions, 'contract'> & {
  readonly contract?: Contract | undefined;
  readonly [AMBIENT]?: Ambient | undefined;
};

/**
 * All parts of one bus, wired once. Nothing here decides anything: each part says in its own file
 * what it does and what it needs.
 */
export class Wiring {
  readonly env: Env;
  /** Only with `ambientContext: true`, and on a test bus. */
  readonly ambient: Ambient | undefined;
  readonly origin: Origin;
  readonly ledger: Ledger = new Ledger();
  readonly registry: Registry = new Registry();
  readonly middleware: MiddlewareChain = new MiddlewareChain();
  readonly running: Running = new Running();
  readonly arrivals: Arrivals;
  readonly responders: Responders;
  /** Only with `permissions`. */
  readonly authority: Authority | undefined;
  readonly permissions: Permissions | undefined;
  readonly mailboxDefaults: ReturnType<typeof readMailbox>;
  readonly logger: Logger;
  readonly events: GuardedEvents<BusEvents>;
  readonly metrics: Metrics;
  readonly taps: Taps;
  readonly retained: Retained;
  readonly keeper: PayloadKeeper;
  readonly letters: DeadLetters;
  readonly outcomes: Outcomes;
  readonly deferrals: Deferrals;
  readonly dispatcher: Dispatcher;
  readonly schedule: Schedule;
  readonly router: Router<Subscription, Route>;
  readonly requests: Requests;
  readonly scribe: Scribe;
  readonly refusals: Refusals;
  readonly guard: Guard;
  readonly admitter: Admitter;
  readonly chooser: Chooser;
  readonly questions: Questions;
  readonly posing: Posing;
  readonly calls: OpenCalls;
  readonly resilient: ResilientAsk;
  readonly ask: Ask;
  readonly gather: Gather;
  readonly broadcast: Broadcast;
  readonly hosting: Hosting;
  readonly #desk: StateDesk | undefined;
  readonly #late: LateReplies;
  /** Reports a fault of user code from anywhere. */
  readonly fault: Fault;
  readonly shop: Workshop;
  readonly subscriptions: Subscriptions;
  readonly membership: Membership;
  readonly graceMs: number;
  readonly contract: Contract | undefined;
  /** Says who is asked when a call does not. */
  readonly select: Selection | undefined;
  readonly limits: BusLimits;
  status: BusStatus = 'open';
  #seq = 0;

  /** `closeBus`: what a handler of the host does that closes the bus. */
  constructor(given: BusOptions, closeBus: () => Promise<unknown>) {
    const options = given as unknown as WiringOptions;
    const ambient = options[AMBIENT] ?? makeAmbient(options);
    const env = outsideOf(ambient, options.env ?? realEnv());
    const clock = new TurnClock(env);
    const now = (): number => clock.now();
    const faults = new Faults(this.ledger, options.onFault);
    const fault = faults.report;
    this.fault = fault;
    this.env = env;
    this.ambient = ambient;
    this.contract = options.contract;
    this.select = options.select;
    this.arrivals = new Arrivals(env);
    this.origin = { idPrefix: env.idPrefix(), wallAtZero: env.wall() - env.now() };
    this.graceMs = options.graceMs ?? DEFAULTS.graceMs;
    this.mailboxDefaults = readMailbox(options.mailbox ?? {}, MAILBOX_DEFAULTS);
    this.limits = readLimits(options, this.mailboxDefaults);
    this.logger = guardLogger(options.logger ?? silentLogger, (error) => fault(error, 'logger'));
    this.events = new GuardedEvents<BusEvents>(fault, ambient && ((fn) => ambient.outside(fn)));
    faults.listen({
      logger: this.logger,
      emit: (error, where) => this.events.emit('fault', error, where),
    });
    this.metrics = new Metrics({ maxLabels: options.maxMetricLabels ?? DEFAULTS.maxMetricLabels });
    this.authority = this.#makeAuthority(options);
    this.taps = new Taps(env, fault, this.authority);
    this.retained = new Retained(options.maxRetained ?? DEFAULTS.maxRetained);
    this.keeper = new PayloadKeeper(
      options.isolation ?? DEFAULTS.isolation,
      options.maxPayloadDepth ?? DEFAULTS.maxPayloadDepth,
      this.ledger,
    );
    this.letters = makeLetters(
      {
        env,
        origin: this.origin,
        contract: options.contract,
        keeper: this.keeper,
        fault,
        quarantined: (letter) => this.events.emit('quarantined', letter),
      },
      options.deadLetters,
    );
    const { ledger, events, metrics, letters, keeper, origin } = this;
    const nextSeq = (): number => ++this.#seq;
    this.#late = new LateReplies({ ledger, letters, events, keeper, origin, nextSeq, now });
    this.outcomes = new Outcomes({
      ledger,
      letters,
      events,
      metrics,
      logger: this.logger,
      now,
      onFault: fault,
    });
    this.deferrals = new Deferrals({
      env,
      ambient,
      ledger,
      outcomes: this.outcomes,
      late: this.#late.take,
      onFault: fault,
    });
    this.dispatcher = new Dispatcher({
      env,
      ledger,
      outcomes: this.outcomes,
      clock,
      authority: this.authority,
      onFault: fault,
      repeat: (again, afterMs) => this.admitter.repeat(again, afterMs),
    });
    this.responders = this.#makeResponders(options.contract);
    this.schedule = new Schedule(env, ledger);
    this.router = this.#makeRouter(options);
    this.requests = this.#makeRequests(now);
    const { middleware } = this;
    this.scribe = new Scribe({
      origin,
      keeper,
      middleware,
      instant: () => clock.instant(),
      nextSeq,
    });
    this.refusals = new Refusals({ ledger, events, letters, scribe: this.scribe });
    this.guard = new Guard(this.limits, {
      now,
      say: (topic, notice, lineage) => this.admitter.sayOwn(topic, notice, lineage),
    });
    this.admitter = this.#makeAdmitter(options, now);
    this.chooser = this.#makeChooser(options);
    const { scribe, refusals, guard, admitter, responders, chooser } = this;
    this.questions = new Questions({
      admitter,
      scribe,
      refusals,
      guard,
      responders,
      chooser,
      authority: this.authority,
      requestTimeoutMs: options.requestTimeoutMs ?? DEFAULTS.requestTimeoutMs,
      select: options.select,
      now: () => env.now(),
    });
    const { requests, dispatcher: mail } = this;
    this.posing = new Posing({
      admitter,
      authority: this.authority,
      chooser,
      dispatcher: mail,
      guard,
      refusals,
      requests,
      scribe,
      now: () => env.now(),
      onFault: fault,
    });
    this.calls = new OpenCalls(ledger);
    this.resilient = this.#makeResilient(options);
    this.ask = this.#makeAsk();
    this.broadcast = new Broadcast({
      admitter: this.admitter,
      namesWith: (capability) => this.registry.withCapability(capability).map(({ name }) => name),
    });
    this.gather = new Gather({
      env,
      posing: this.posing,
      resilient: this.resilient,
      chooser,
      questions: this.questions,
      handlerTimeoutMs: options.handlerTimeoutMs ?? DEFAULTS.handlerTimeoutMs,
    });
    this.hosting = new Hosting(this, closeBus);
    this.#desk = this.#makeDesk(options);
    this.shop = {
      env,
      ledger,
      events,
      outcomes: this.outcomes,
      running: this.running,
      authority: this.authority,
      house: this.hosting,
      graceMs: this.graceMs,
      now,
      instant: () => clock.instant(),
      spill: () => this.dispatcher.spill(),
      handOut: (message) => keeper.forDelivery(message),
      takeIn: (value) => keeper.keep(value),
      onFault: fault,
    };
    this.subscriptions = this.#makeSubscriptions(options, now);
    const { shop, registry, subscriptions, dispatcher, mailboxDefaults, graceMs } = this;
    this.membership = new Membership({
      shop,
      registry,
      subscriptions,
      dispatcher,
      calls: this.calls,
      deferrals: this.deferrals,
      events,
      mailboxDefaults,
      graceMs,
      onLeft: (name) => this.endStateOf(name, 'left'),
      endRevoked: (record) => this.hosting.listening.endRevoked(record),
      onDenied: (refusal) => void this.refusals.count(refusal),
      say: (topic, notice) => this.admitter.sayOwn(topic, notice, undefined),
    });
    this.permissions = this.#makePermissions();
  }

  /** Refuses a listener that may hear, answer or watch nothing of what it asks for. */
  checkListener(name: string, action: 'subscribe' | 'serve' | 'tap', pattern: Pattern): void {
    const denied = this.authority?.refusalOf(name, action, pattern);
    if (denied !== undefined) throw this.refusals.count(denied);
  }

  /** The state of the bus, for whoever has a name. */
  desk(): StateDesk {
    if (this.#desk !== undefined) return this.#desk;
    throw new TypeError('The bus has no state: new MessageBus({ state: new StateManager() })');
  }

  /** Who holds and awaits which lock of the state. */
  locks(): readonly LockInspection[] {
    return this.#desk?.manager.locks() ?? [];
  }

  /** Handles of the agent are of no use any more. */
  endStateOf(agent: string, why: 'revoked' | 'left'): void {
    this.#desk?.gone(agent, why);
  }

  /** The bus is closed. */
  leaveState(): void {
    this.#desk?.close();
  }

  #makeDesk({ state, contract, env: clock = realEnv() }: WiringOptions): StateDesk | undefined {
    if (state === undefined) return undefined;
    const { env, events, admitter, registry } = this;
    const onDenied: StateHome['onDenied'] = (refusal) => events.emit('state-denied', refusal);
    const speech = {
      admitter,
      checkAgent: (name: string) => {
        if (registry.get(name) !== undefined) return;
        throw new UnknownRecipientError(name, registry.nearest(name));
      },
      onFault: this.fault,
      authority: this.authority,
      refusals: this.refusals,
    };
    return new StateDesk(state, { env, clock, contract, onDenied }, speech);
  }

  #makeAuthority({ permissions }: WiringOptions): Authority | undefined {
    if (permissions === undefined) return undefined;
    return new Authority(permissions, { lastSeq: () => this.#seq, onFault: this.fault });
  }

  #makePermissions(): Permissions | undefined {
    const { authority, dispatcher, ledger, outcomes, requests, responders, router } = this;
    if (authority === undefined) return undefined;
    const { subscriptions } = this;
    const parts = { authority, dispatcher, ledger, outcomes, requests, responders, router };
    return new Permissions(authority, new Revocation({ ...parts, subscriptions }));
  }

  #makeResponders(contract: Contract | undefined): Responders {
    const { arrivals, authority } = this;
    return new Responders(
      (topic) => contract?.family('requests', topic),
      arrivals,
      authority && ((subscription, topic) => authority.reaches(subscription, topic)),
    );
  }

  #makeRouter({
    contract,
    open = false,
    maxCachedTopics = DEFAULTS.maxCachedTopics,
  }: WiringOptions): Wiring['router'] {
    const { authority } = this;
    return new Router<Subscription, Route>({
      maxCachedTopics,
      build: (topic, matches) => {
        checkTopic(topic);
        const family = contract?.family('topics', topic);
        const own = topic.startsWith('$');
        const known = !own && (contract === undefined || open || family !== undefined);
        // What the bus itself would say to nobody is no topic of anybody.
        const unheard = own && matches.length === 0;
        const series = unheard ? undefined : this.metrics.family(family?.key ?? topic);
        const reaches =
          authority &&
          ((one: Subscription, from: string) => authority.reaches(one, topic, { from, topic }));
        return new Route(family, matches, series, known, reaches);
      },
    });
  }

  #makeRequests(now: () => number): Requests {
    const { env, ambient, dispatcher, ledger, outcomes, graceMs, fault } = this;
    const { abandon, stop } = new CallingOff({ dispatcher, ledger, outcomes, graceMs });
    const late = this.#late.take;
    return new Requests({ env, ambient, now, abandon, stop, late, onFault: fault });
  }

  #makeAdmitter(options: WiringOptions, now: () => number): Admitter {
    const { contract, open = false, dedupe = {}, unheard = 'count' } = options;
    const { env, ledger, events, scribe, refusals, guard, dispatcher, router } = this;
    const { middleware, retained, schedule, taps, registry } = this;
    return new Admitter({
      env,
      ledger,
      events,
      scribe,
      refusals,
      guard,
      dispatcher,
      router,
      contract,
      open,
      middleware,
      retained,
      schedule,
      taps,
      authority: this.authority,
      dedupe: new Dedupe({
        windowMs: dedupe.windowMs ?? DEFAULTS.dedupeWindowMs,
        maxKeys: dedupe.maxKeys ?? DEFAULTS.dedupeMaxKeys,
      }),
      unheard: (message) => this.#unheard(message, unheard),
      handlerTimeoutMs: options.handlerTimeoutMs ?? DEFAULTS.handlerTimeoutMs,
      now,
      status: () => this.status,
      addressee: (name) => registry.get(name),
      nearestAgent: (name) => registry.nearest(name),
    });
  }

  #unheard(message: Envelope, unheard: BusOptions['unheard']): void {
    if (unheard === 'warn') {
      this.logger.warn('nobody heard a message', { topic: message.topic, from: message.from });
    } else if (unheard === 'dead-letter') {
      this.letters.refuse(message, 'publish', 'unhandled', undefined);
    }
  }

  #makeChooser({ contract, open = false }: WiringOptions): Chooser {
    const { env, refusals, guard, dispatcher, responders, registry } = this;
    return new Chooser({
      refusals,
      guard,
      dispatcher,
      responders,
      contract,
      open,
      random: () => env.random(),
      now: () => env.now(),
      hasAgent: (name) => registry.get(name) !== undefined,
      hasCapability: (name, capability) =>
        registry.get(name)?.capabilities.has(capability) === true,
      nearestAgent: (name) => registry.nearest(name),
    });
  }

  #makeResilient(options: WiringOptions): ResilientAsk {
    const { env, ambient, origin, admitter, posing, chooser, calls } = this;
    const budget = readRetryBudget(options.retryBudget);
    return new ResilientAsk({
      env,
      ambient,
      idPrefix: origin.idPrefix,
      admitter,
      posing,
      chooser,
      calls,
      fallbacks: readFallbacks(options.fallback),
      makeRetryBudget: budget && (() => retryBudget({ ...budget, env })),
      now: () => env.now(),
    });
  }

  #makeAsk(): Ask {
    const { admitter, responders, arrivals, chooser, questions, posing, resilient, env } = this;
    return new Ask({
      admitter,
      posing,
      resilient,
      responders,
      arrivals,
      chooser,
      questions,
      env,
      streamIdleTimeoutMs: DEFAULTS.streamIdleTimeoutMs,
      highWaterMark: DEFAULTS.highWaterMark,
      now: () => env.now(),
    });
  }

  #makeSubscriptions(options: WiringOptions, now: () => number): Subscriptions {
    const { env, router, responders, dispatcher, ledger, outcomes, middleware, retained } = this;
    const { keeper, mailboxDefaults, graceMs, ambient, authority } = this;
    return new Subscriptions({
      env,
      router,
      responders,
      dispatcher,
      ledger,
      outcomes,
      middleware,
      retained,
      mailboxDefaults,
      handlerTimeoutMs: options.handlerTimeoutMs ?? DEFAULTS.handlerTimeoutMs,
      batchDefaults: { max: DEFAULTS.batchMax, waitMs: DEFAULTS.batchWaitMs },
      hurried: () => this.status !== 'open',
      graceMs,
      ambient,
      authority,
      isolate: (handler) => {
        if (keeper.isolation !== 'clone') return handler;
        return (message, context: Attempt) =>
          handler(keeper.forDelivery(message as Envelope), context);
      },
      now,
    });
  }
}

function makeAmbient({ ambientContext }: WiringOptions): Ambient | undefined {
  return ambientContext === true ? new Ambient() : undefined;
}

/** On a simulated Env every step comes from whoever drives it, and so from outside. */
function outsideOf(ambient: Ambient | undefined, env: Env): Env {
  return ambient === undefined || !env.direct ? env : new OutsideEnv(env, ambient);
}
