import { type Attempt, voiceOf } from '../delivery/attempt.ts';
import { RevokedError } from '../delivery/bound-errors.ts';
import { ClosedError } from '../delivery/errors.ts';
import type { Speaker } from '../delivery/speech.ts';
import { HandlerHolder, SpeakerHolder, type StateSpeech } from '../delivery/state-holder.ts';
import type { Permits } from '../delivery/subscription.ts';
import type { Holder } from '../state/holder.ts';
import type { StateHome, StateSeat } from '../state/on-bus.ts';
import type { StateManager } from '../state/state-manager.ts';
import type { StateView } from '../state/state-view.ts';

/** The state of a bus, as everybody who has a name there sees it. */
export class StateDesk {
  readonly manager: StateManager;
  readonly #seat: StateSeat;
  readonly #speech: StateSpeech;
  /** A handler that never looks at the state costs nothing for it, not even a field. */
  readonly #views = new WeakMap<Speaker, StateView>();
  constructor(manager: StateManager, home: StateHome, speech: StateSpeech) {
    this.manager = manager;
    this.#seat = manager.attach(home);
    this.#speech = speech;
  }

  /** The state as an agent sees it. */
  ofAgent(speaker: Speaker): StateView {
    const hold = (own?: object) => new SpeakerHolder(speaker, this.#speech, own);
    return this.#view(speaker, speaker.permits, hold);
  }

  /** The state as the running handler of a message sees it. */
  ofHandler(attempt: Attempt): StateView {
    const hold = (own?: object) => new HandlerHolder(attempt, this.#speech, own);
    return this.#view(attempt, voiceOf(attempt).permits, hold);
  }

  /** The state outlives the bus; what its agents hold there does not. */
  close(): void {
    this.#end(() => true, new ClosedError('what its agents hold of the state'));
    this.#seat.close();
  }

  /** An agent has left, or handles of it were revoked: what they hold and watch ends. */
  gone(agent: string, why: 'revoked' | 'left'): void {
    this.#end((permits) => !permits.alive, new RevokedError(agent, why));
  }

  #end(matches: (permits: Permits) => boolean, reason: unknown): void {
    const isOurs = (one: unknown): boolean =>
      one instanceof Registration && one.desk === this && matches(one.permits);
    this.#seat.left(isOurs, reason);
  }

  #view(
    speaker: Speaker,
    permits: Permits | undefined,
    hold: (registration?: object) => Holder,
  ): StateView {
    const known = this.#views.get(speaker);
    if (known !== undefined) return known;
    const view = this.#seat.view(hold(this.#registration(permits)));
    this.#views.set(speaker, view);
    return view;
  }

  /** The host does not leave. */
  #registration(permits: Permits | undefined): Registration | undefined {
    return permits && new Registration(this, permits);
  }
}

/** A handle at the state of one bus: what is held through it ends with it. */
class Registration {
  readonly desk: StateDesk;
  readonly permits: Permits;

  constructor(desk: StateDesk, permits: Permits) {
    this.desk = desk;
    this.permits = permits;
  }
}
