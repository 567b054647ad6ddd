import type { Env } from '../kernel/env.ts';
import type { Contract } from '../message/contract.ts';
import { checkTopic } from '../message/topic.ts';
import type { Router } from '../routing/router.ts';
import type { Authority } from './authority.ts';
import type { Chooser } from './chooser.ts';
import type { Dispatcher } from './dispatcher.ts';
import { type ExplainedCandidate, explainCandidates } from './explain-candidates.ts';
import type { Responders } from './responders.ts';
import type { Route } from './route.ts';
import type { Selection } from './selection.ts';
import type { RequestOptions } from './speech.ts';
import type { Subscription } from './subscription.ts';
import { Worker } from './worker.ts';

/** One subscription, as seen from a topic. */
export interface ExplainedSubscription {
  readonly owner: string;
  readonly pattern: string;
  /** Why it gets nothing; absent when it gets a copy. */
  readonly because?: 'type' | 'own-message' | 'denied' | 'paused';
}

/** Who would get a message, who would not, and why. */
export interface Explanation {
  readonly topic: string;
  /** The key of the contract that the topic belongs to. */
  readonly family: string | undefined;
  readonly recipients: readonly ExplainedSubscription[];
  /** Those whose pattern matches and who get nothing now. */
  readonly excluded: readonly ExplainedSubscription[];
  /** Agents that serve it. */
  readonly responders: readonly string[];
  /** The same, with what speaks for and against asking each of them now. */
  readonly candidates: readonly ExplainedCandidate[];
  readonly didYouMean: string | undefined;
}

/** Options of `explain`: of whom, and of what call. */
export interface ExplainOptions extends Pick<RequestOptions, 'to' | 'select'> {
  /** Who says or asks it. @default '$host' */
  readonly from?: string;
  /** Of the message that is said. @default 'event' */
  readonly type?: string;
  /** What is asked, for a `select` that looks at it. */
  readonly payload?: unknown;
}

/** What explaining needs of its bus. */
export interface ExplainParts {
  readonly env: Env;
  readonly router: Router<Subscription, Route>;
  readonly responders: Responders;
  readonly chooser: Chooser;
  readonly dispatcher: Dispatcher;
  readonly contract: Contract | undefined;
  readonly select: Selection | undefined;
  readonly authority: Authority | undefined;
}

/** Explains a topic without saying anything. */
export function explainTopic(
  parts: ExplainParts,
  topic: string,
  options: ExplainOptions,
): Explanation {
  const { from = '$host', type = 'event' } = options;
  checkTopic(topic);
  const route = parts.router.route(topic);
  const { subscriptions } = route.listFor(from, type);
  const recipients: ExplainedSubscription[] = [];
  const excluded: ExplainedSubscription[] = [];
  for (const subscription of route.matches) {
    const shown = { owner: subscription.owner, pattern: subscription.pattern.source };
    const denied = parts.authority?.reaches(subscription, topic) === false;
    const because = denied ? 'denied' : whyNot(subscription, subscriptions, type);
    if (because !== undefined) excluded.push({ ...shown, because });
    else if (isPaused(subscription)) recipients.push({ ...shown, because: 'paused' });
    else recipients.push(shown);
  }
  return {
    topic,
    family: route.family?.key,
    recipients,
    excluded,
    responders: parts.responders.route(topic).subscriptions.map(({ owner }) => owner),
    candidates: candidatesOf(parts, topic, from, options),
    didYouMean: recipients.length > 0 ? undefined : parts.contract?.nearest('topics', topic),
  };
}

function candidatesOf(
  { env, responders, chooser, dispatcher, select }: ExplainParts,
  topic: string,
  from: string,
  { to, select: own = select, payload }: ExplainOptions,
): ExplainedCandidate[] {
  // What lies in the ring is outstanding, too.
  dispatcher.spill();
  const { subscriptions } = responders.route(topic);
  const random = (): number => env.random();
  const call = { topic, payload, from, random, now: () => env.now() };
  return explainCandidates(chooser, subscriptions, to, own, call);
}

function whyNot(
  subscription: Subscription,
  chosen: readonly Subscription[],
  type: string,
): 'type' | 'own-message' | undefined {
  if (chosen.includes(subscription)) return undefined;
  return subscription.accepts(type) ? 'own-message' : 'type';
}

function isPaused({ home }: Subscription): boolean {
  return home instanceof Worker && home.status === 'paused';
}
