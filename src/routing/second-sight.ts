/** How many prints share a place. */
const DEPTH = 4;

/** Remembers roughly which topics were seen, in a fixed space and without keeping them. */
export class SecondSight {
  readonly #prints: Uint32Array;
  readonly #places: number;
  #turn = 0;

  /** @param room how many topics to remember, at least 1 */
  constructor(room: number) {
    this.#places = Math.ceil(room / 2);
    // Twice the room: few places overflow, so nearly every topic that comes back is known.
    this.#prints = new Uint32Array(this.#places * DEPTH);
  }

  /** Tells whether `topic` was seen before, and remembers that it was seen now. */
  seen(topic: string): boolean {
    const prints = this.#prints;
    const print = hashOf(topic, topic.length);
    const first = (print % this.#places) * DEPTH;
    for (let at = first; at < first + DEPTH; at += 1) if (prints[at] === print) return true;
    // Not the oldest: of more topics in turn than fit, the oldest is always the next to come.
    prints[first + (this.#turn++ % DEPTH)] = print;
    return false;
  }
}

/** Hashes the first `length` characters to 32 bits (FNV-1a, its bits mixed as in MurmurHash3). */
export function hashOf(text: string, length: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
