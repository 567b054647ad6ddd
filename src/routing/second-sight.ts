/** Remembers roughly which topics were seen, in a fixed space and without keeping them. */
export class SecondSight {
  readonly #prints: Uint32Array;

  /** @param room how many topics to remember */
  constructor(room: number) {
    this.#prints = new Uint32Array(2 ** Math.ceil(Math.log2(room * 2)));
  }

  /** Tells whether `topic` was seen before, and remembers that it was seen now. */
  seen(topic: string): boolean {
    const print = hashOf(topic, topic.length);
    const place = print & (this.#prints.length - 1);
    if (this.#prints[place] === print) return true;
    this.#prints[place] = print;
    return false;
  }
}

/** Hashes the first `length` characters to 32 bits (FNV-1a). */
export function hashOf(text: string, length: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
