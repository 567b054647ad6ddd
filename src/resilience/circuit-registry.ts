import type { Env } from '../kernel/env.ts';
import { Circuit, type CircuitOwner } from './circuit.ts';
import type { CircuitSettings } from './circuit-options.ts';
import type { CircuitBreakerSnapshot, CircuitSnapshot } from './circuit-snapshot.ts';

/** How many circuits are looked at when one has to go: no call pays for a search through all. */
const LOOKS = 16;

/** The key that is shown for the circuit of those who found no place. */
const OTHERS = '*';

/**
 * The circuits of a breaker: the one without a key, which is always there, and at most
 * `maxCircuits` with one. Only idle closed ones are forgotten: nothing is lost with them. While all
 * are in use, keys that come new share one circuit.
 */
export class CircuitRegistry implements CircuitOwner {
  readonly main: Circuit;
  readonly env: Env;
  readonly settings: CircuitSettings;
  /** Made with the first key: most breakers have none. */
  #circuits: Map<string, Circuit> | undefined;
  /** Goes round and round, so that every circuit is looked at in its turn. */
  #hand: Iterator<Circuit> | undefined;
  #others: Circuit | undefined;

  constructor(env: Env, settings: CircuitSettings) {
    this.env = env;
    this.settings = settings;
    const circuits = settings.snapshot?.circuits ?? [];
    const main = circuits.find(({ key }) => key === '');
    this.main = main === undefined ? new Circuit(this, '') : Circuit.restored(this, main);
    for (const one of circuits) if (one !== main) this.#add(Circuit.restored(this, one));
  }

  /** The circuit that a call for the key goes through; made when there is none. */
  take(key: string): Circuit {
    const found = this.#find(key);
    if (found !== undefined) return found;
    if (this.#hasRoom()) return this.#add(new Circuit(this, key));
    this.#others ??= new Circuit(this, OTHERS);
    return this.#others;
  }

  /** The circuit of the key itself, above the bound if need be: for what a person does to it. */
  own(key: string): Circuit {
    return this.#find(key) ?? this.#add(new Circuit(this, key));
  }

  /** The one that `take` would give, if it exists. */
  peek(key: string): Circuit | undefined {
    const found = this.#find(key);
    if (found !== undefined || this.#others === undefined) return found;
    return this.#hasRoom() ? undefined : this.#others;
  }

  snapshot(): CircuitBreakerSnapshot {
    const all = [this.main, ...this.#map().values()].map((circuit) => circuit.snapshot());
    return { version: 1, circuits: all.filter((one): one is CircuitSnapshot => one !== undefined) };
  }

  #find(key: string): Circuit | undefined {
    return key === '' ? this.main : this.#circuits?.get(key);
  }

  #add(circuit: Circuit): Circuit {
    this.#map().set(circuit.key, circuit);
    return circuit;
  }

  #map(): Map<string, Circuit> {
    this.#circuits ??= new Map();
    return this.#circuits;
  }

  #hasRoom(): boolean {
    const { maxCircuits } = this.settings;
    const circuits = this.#map();
    for (let look = 0; circuits.size >= maxCircuits; look += 1) {
      if (look === LOOKS) return false;
      const circuit = this.#lookAtNext(circuits);
      if (circuit?.isIdle() === true) circuits.delete(circuit.key);
    }
    return true;
  }

  #lookAtNext(circuits: Map<string, Circuit>): Circuit | undefined {
    this.#hand ??= circuits.values();
    const { value, done } = this.#hand.next();
    if (done === true) this.#hand = undefined;
    return value;
  }
}
