import type { Attempt } from '../delivery/attempt.ts';
import { RevokedError } from '../delivery/bound-errors.ts';
import type { Speaker } from '../delivery/speech.ts';
import { HandlerHolder, SpeakerHolder, type StateSpeech } from '../delivery/state-holder.ts';
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
  /** The agents that have looked: a name may be registered again, and be another. */
  readonly #registrations = new Map<string, object>();

  constructor(manager: StateManager, home: StateHome, speech: StateSpeech) {
    this.manager = manager;
    this.#seat = manager.attach(home);
    this.#speech = speech;
  }

  /** The state as an agent sees it. */
  ofAgent(speaker: Speaker): StateView {
    return this.#view(speaker, (own) => new SpeakerHolder(speaker, this.#speech, own));
  }

  /** The state as the running handler of a message sees it. */
  ofHandler(attempt: Attempt): StateView {
    return this.#view(attempt, (own) => new HandlerHolder(attempt, this.#speech, own));
  }

  /** The state outlives the bus; what its agents hold there does not. */
  close(): void {
    for (const agent of [...this.#registrations.keys()]) this.left(agent);
    this.#seat.close();
  }

  left(agent: string): void {
    const registration = this.#registrations.get(agent);
    if (registration === undefined) return;
    this.#registrations.delete(agent);
    this.#seat.left(registration, new RevokedError(agent, 'left'));
  }

  #view(speaker: Speaker, hold: (registration: object | undefined) => Holder): StateView {
    const known = this.#views.get(speaker);
    if (known !== undefined) return known;
    const view = this.#seat.view(hold(this.#registration(speaker)));
    this.#views.set(speaker, view);
    return view;
  }

  /** The host does not leave, and who has left holds nothing any more. */
  #registration({ name, permits }: Speaker): object | undefined {
    if (permits?.alive !== true) return undefined;
    const known = this.#registrations.get(name) ?? {};
    this.#registrations.set(name, known);
    return known;
  }
}
