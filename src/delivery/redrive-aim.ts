import type { Addressee, Admitter } from './admitter.ts';
import { DispatchList } from './dispatch-list.ts';
import type { Dispatcher } from './dispatcher.ts';
import { ClosedError, UnknownRecipientError } from './errors.ts';
import type { KeptLetter, LostSubscription } from './kept-letter.ts';
import type { Responders } from './responders.ts';
import type { Speaker } from './speech.ts';
import type { Subscription } from './subscription.ts';

/** Why a letter was left where it is. */
export type SkipReason =
  | 'quarantined'
  | 'max-redrives'
  | 'no-subscriber'
  | 'refused'
  | 'claimed'
  | 'redacted'
  | 'store'
  | 'stopped';

/** What becomes of a letter, as far as it can be known before it is sent. */
export type Aim =
  | { readonly how: 'deliver'; readonly to: Subscription; readonly name: string }
  | { readonly how: 'call'; readonly speaker: Speaker; readonly name: string | undefined }
  | { readonly how: 'leave'; readonly why: SkipReason; readonly error?: unknown };

/** What aiming needs of its bus. */
export interface AimParts {
  readonly admitter: Admitter;
  readonly dispatcher: Dispatcher;
  readonly responders: Responders;
  isOpen(): boolean;
  addressee(name: string): Addressee | undefined;
  nearestAgent(name: string): string | undefined;
  /** Who said it then, if he is still here to say it again. */
  speaker(name: string): Speaker | undefined;
  /** The subscription that failed, or the one that took its place under the same name. */
  successor(of: Subscription | LostSubscription): Subscription | undefined;
}

/** What a pass allows. */
export interface AimTerms {
  /** Letters in quarantine are sent, too. */
  readonly quarantined: boolean;
  readonly maxRedrives: number;
  /** Who gets them instead of who failed. */
  readonly to: string | undefined;
}

/** Says to whom a letter goes, or why to nobody. Changes nothing. */
export function aimAt(parts: AimParts, letter: KeptLetter, terms: AimTerms): Aim {
  if (letter.reason === 'late-reply') return leave('refused');
  if (letter.redacted) return leave('redacted');
  if (letter.quarantined && !terms.quarantined) return leave('quarantined');
  if (letter.redriveCount >= terms.maxRedrives) return leave('max-redrives');
  if (!parts.isOpen()) return leave('refused', new ClosedError(`redrive ${letter.message.topic}`));
  if (terms.to !== undefined && parts.addressee(terms.to) === undefined) {
    const unknown = new UnknownRecipientError(terms.to, parts.nearestAgent(terms.to));
    return leave('no-subscriber', unknown);
  }
  if (letter.refused) return aimCall(parts, letter, terms.to);
  return terms.to === undefined ? aimBack(parts, letter) : aimElsewhere(parts, letter, terms.to);
}

function leave(why: SkipReason, error?: unknown): Aim {
  return error === undefined ? { how: 'leave', why } : { how: 'leave', why, error };
}

/** A refused call was never admitted: only making it again tells whether it is refused again. */
function aimCall(parts: AimParts, { message, reason, action }: KeptLetter, to?: string): Aim {
  const speaker = parts.speaker(message.from);
  if (speaker === undefined) return leave('no-subscriber');
  // Any responder will do, unless it was the one who was asked that nobody knew.
  const asked = to ?? (reason === 'unknown-recipient' ? message.to : undefined);
  const name = action === 'request' ? asked : (to ?? message.to);
  if (action === 'request' && responderOf(parts, message.topic, asked) === undefined) {
    return leave('no-subscriber');
  }
  return { how: 'call', speaker, name };
}

function aimBack(parts: AimParts, { subscription }: KeptLetter): Aim {
  const to = parts.successor(subscription as Subscription | LostSubscription);
  return to === undefined ? leave('no-subscriber') : { how: 'deliver', to, name: to.owner };
}

function aimElsewhere(parts: AimParts, { message, action }: KeptLetter, name: string): Aim {
  const to =
    action === 'request'
      ? responderOf(parts, message.topic, name)
      : directed(parts, name, message.topic, message.type);
  if (to === undefined) return leave('no-subscriber');
  const full = parts.dispatcher.refusal(message, DispatchList.of(to));
  return full === undefined ? { how: 'deliver', to, name } : leave('refused', full);
}

function responderOf(
  { responders }: AimParts,
  topic: string,
  name: string | undefined,
): Subscription | undefined {
  const { subscriptions } = responders.route(topic);
  return subscriptions.find(({ owner }) => name === undefined || owner === name);
}

function directed(
  parts: AimParts,
  name: string,
  topic: string,
  type: string,
): Subscription | undefined {
  const found = parts.addressee(name)?.directed(topic, type);
  return found?.handled === true ? found.to : undefined;
}
