import type { Contract } from '../message/contract.ts';
import { checkTopic } from '../message/topic.ts';
import type { Router } from '../routing/router.ts';
import type { Responders } from './responders.ts';
import type { Route } from './route.ts';
import type { Subscription } from './subscription.ts';
import { Worker } from './worker.ts';

/** One subscription, as seen from a topic. */
export interface ExplainedSubscription {
  readonly owner: string;
  readonly pattern: string;
  /** Why it gets nothing; absent when it gets a copy. */
  readonly because?: 'type' | 'own-message' | 'paused';
}

/** Who would get a message, who would not, and why. */
export interface Explanation {
  readonly topic: string;
  /** The key of the contract that the topic belongs to. */
  readonly family: string | undefined;
  readonly recipients: readonly ExplainedSubscription[];
  /** Those whose pattern matches and who get nothing now. */
  readonly excluded: readonly ExplainedSubscription[];
  /** Agents that would be asked, the next one first. */
  readonly responders: readonly string[];
  readonly didYouMean: string | undefined;
}

/** Explains a topic without saying anything. */
export function explainTopic(
  parts: {
    readonly router: Router<Subscription, Route>;
    readonly responders: Responders;
    readonly contract: Contract | undefined;
  },
  topic: string,
  { from = '$host', type = 'event' }: { readonly from?: string; readonly type?: string },
): Explanation {
  checkTopic(topic);
  const route = parts.router.route(topic);
  const { subscriptions } = route.listFor(from, type);
  const recipients: ExplainedSubscription[] = [];
  const excluded: ExplainedSubscription[] = [];
  for (const subscription of route.matches) {
    const shown = { owner: subscription.owner, pattern: subscription.pattern.source };
    const because = whyNot(subscription, subscriptions, type);
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
    didYouMean: recipients.length > 0 ? undefined : parts.contract?.nearest('topics', topic),
  };
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
