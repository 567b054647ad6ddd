import type { Author } from '../state/entry.ts';
import type { Holder, HolderRights } from '../state/holder.ts';
import type { StateAccessAction } from '../state/state-access.ts';
import type { StateVoice } from '../state/transaction.ts';
import type { Admitter } from './admitter.ts';
import { type Attempt, isFenced, voiceOf } from './attempt.ts';
import type { Authority } from './authority.ts';
import { FencedError } from './errors.ts';
import type { Refusals } from './refusals.ts';
import type { PublishOptions, SendOptions, Speaker } from './speech.ts';

/** What those who hold the state need of their bus. */
export interface StateSpeech {
  readonly admitter: Admitter;
  /** Throws when nobody bears the name. */
  checkAgent(name: string): void;
  onFault(error: unknown, where: string): void;
  /** Undefined on a bus without permissions. */
  readonly authority: Authority | undefined;
  readonly refusals: Refusals;
}

/** An agent at the state, through one of its handles. */
export class SpeakerHolder implements Holder {
  readonly actor: string;
  readonly voice: StateVoice;
  readonly registration: object | undefined;
  readonly rights: HolderRights | undefined;
  readonly #speaker: Speaker;
  #author: Author;

  constructor(speaker: Speaker, speech: StateSpeech, registration: object | undefined) {
    this.actor = speaker.name;
    this.registration = registration;
    this.voice = new HolderVoice(speaker, speech);
    this.#speaker = speaker;
    this.rights = rightsOf(speaker, speech);
    this.#author = { actor: this.actor, causationId: undefined };
  }

  author(): Author {
    this.checkAlive();
    const causationId = this.#speaker.cause?.message.id;
    if (this.#author.causationId !== causationId) this.#author = { actor: this.actor, causationId };
    return this.#author;
  }

  get alive(): boolean {
    return this.#speaker.permits?.alive !== false;
  }

  checkAlive(): void {
    const { permits } = this.#speaker;
    if (permits?.alive === false) permits.check('use', 'the state');
  }
}

/** Undefined where nothing but the rules of the state binds it. */
function rightsOf(speaker: Speaker, speech: StateSpeech): HolderRights | undefined {
  if (speech.authority === undefined && speaker.permits?.guardsState !== true) return undefined;
  return new BusRights(speaker, speech);
}

/** What the permissions of the bus, and what is left of a restricted handle, say of keys. */
class BusRights implements HolderRights {
  readonly #speaker: Speaker;
  readonly #speech: StateSpeech;

  constructor(speaker: Speaker, speech: StateSpeech) {
    this.#speaker = speaker;
    this.#speech = speech;
  }

  allows(action: StateAccessAction, key: string): boolean {
    // What is no key is refused by whoever is asked for it.
    if (typeof key !== 'string') return true;
    const { name, permits } = this.#speaker;
    if (permits?.guardsState === true && !permits.allows(action, key)) return false;
    return this.#speech.authority?.allows(name, action, key) !== false;
  }

  check(action: StateAccessAction, key: string): void {
    if (typeof key !== 'string') return;
    const { name, permits } = this.#speaker;
    if (permits?.guardsState === true) permits.check(action, key);
    const denied = this.#speech.authority?.refusal(name, action, key);
    if (denied !== undefined) throw this.#speech.refusals.count(denied);
  }
}

/** A running handler at the state: what it writes names the message that it handles. */
export class HandlerHolder extends SpeakerHolder {
  readonly #attempt: Attempt;

  constructor(attempt: Attempt, speech: StateSpeech, registration: object | undefined) {
    super(voiceOf(attempt), speech, registration);
    this.#attempt = attempt;
  }

  /** Two handlers of one agent may well wait for each other. */
  get owner(): Attempt {
    return this.#attempt;
  }

  override author(): Author {
    if (isFenced(this.#attempt)) {
      const { topic } = this.#attempt.message;
      throw new FencedError(this.actor, 'write to the state on', topic);
    }
    return super.author();
  }
}

/** Says what a transaction has to say: checked at once, said when it has committed. */
class HolderVoice implements StateVoice {
  readonly #speaker: Speaker;
  readonly #speech: StateSpeech;

  constructor(speaker: Speaker, speech: StateSpeech) {
    this.#speaker = speaker;
    this.#speech = speech;
  }

  publish(topic: string, payload: unknown, options: PublishOptions | undefined): () => void {
    this.#speaker.permits?.check('publish', topic);
    const say = this.#speech.admitter.publisher(this.#speaker, topic, payload, options);
    return () => this.#say(say);
  }

  send(to: string, topic: string, payload: unknown, options: SendOptions | undefined): () => void {
    this.#speaker.permits?.check('send', topic);
    const send = this.#speech.admitter.sender(this.#speaker, topic, payload, options ?? {});
    this.#speech.checkAgent(to);
    return () => this.#say(() => send(to));
  }

  /** What it wrote is written: that nobody can hear of it now is a fault and no reason to throw. */
  #say(say: () => unknown): void {
    try {
      say();
    } catch (error) {
      this.#speech.onFault(error, 'what a transaction says');
    }
  }
}
