import type { DeadLetterReason } from './dead-letters.ts';

/** How many letters are kept; the oldest make room. */
export interface LetterLimits {
  /** @default 10_000 */
  readonly maxLetters: number;
  /** Estimated bytes of payloads and errors. @default 16 MB */
  readonly maxBytes: number;
  /** @default maxLetters: a flood of one reason may fill the box unless this is lower */
  readonly maxPerReason: number;
  /** Milliseconds from the death of a letter on, by the wall clock. @default 7 days */
  readonly retentionMs: number;
}

interface Boxed {
  readonly id: string;
  readonly reason: DeadLetterReason;
  readonly quarantined: boolean;
  readonly lastFailedAt: number;
  readonly message: { readonly payload: unknown };
  readonly error: unknown;
}

/** A bounded collection of letters in the order of death, bounded per reason as well. */
export class LetterBox<T extends Boxed> {
  readonly #limits: LetterLimits;
  readonly #letters = new Map<string, { readonly letter: T; readonly bytes: number }>();
  readonly #perReason = new Map<DeadLetterReason, Set<string>>();
  readonly #onEvicted: (letter: T) => void;
  #bytes = 0;
  evicted = 0;
  quarantined = 0;

  constructor(limits: LetterLimits, onEvicted: (letter: T) => void = () => {}) {
    this.#limits = limits;
    this.#onEvicted = onEvicted;
  }

  get size(): number {
    return this.#letters.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(letter: T): void {
    const bytes = bytesOf(letter);
    this.#letters.set(letter.id, { letter, bytes });
    this.#idsOf(letter.reason).add(letter.id);
    this.#bytes += bytes;
    if (letter.quarantined) this.quarantined++;
    this.#makeRoom(letter.reason);
  }

  /** Adds a letter at the back if nothing has to make room for it; `sort` brings it to its place. */
  adopt(letter: T): boolean {
    const { maxLetters, maxBytes, maxPerReason } = this.#limits;
    if (this.size >= maxLetters || this.#bytes + bytesOf(letter) > maxBytes) return false;
    if (this.#idsOf(letter.reason).size >= maxPerReason) return false;
    this.add(letter);
    return true;
  }

  /** Into the order of death. */
  sort(): void {
    const sorted = [...this.#letters].toSorted(
      ([, a], [, b]) => a.letter.lastFailedAt - b.letter.lastFailedAt,
    );
    this.#letters.clear();
    for (const [id, boxed] of sorted) this.#letters.set(id, boxed);
    for (const ids of this.#perReason.values()) ids.clear();
    for (const [id, { letter }] of sorted) this.#idsOf(letter.reason).add(id);
  }

  has({ id }: { readonly id: string }): boolean {
    return this.#letters.has(id);
  }

  /** Evicts what died too long ago. From the front: the order is that of death. */
  forget(wall: number): void {
    const { retentionMs } = this.#limits;
    for (const { letter } of this.#letters.values()) {
      if (wall - letter.lastFailedAt < retentionMs) return;
      this.#evict([letter.id]);
    }
  }

  remove({ id, reason }: T): boolean {
    const boxed = this.#letters.get(id);
    if (boxed === undefined) return false;
    this.#letters.delete(id);
    this.#idsOf(reason).delete(id);
    this.#bytes -= boxed.bytes;
    if (boxed.letter.quarantined) this.quarantined--;
    return true;
  }

  list(matches: (letter: T) => boolean): T[] {
    const found: T[] = [];
    for (const { letter } of this.#letters.values()) if (matches(letter)) found.push(letter);
    return found;
  }

  #makeRoom(reason: DeadLetterReason): void {
    const { maxLetters, maxBytes, maxPerReason } = this.#limits;
    const sameReason = this.#idsOf(reason);
    if (sameReason.size > maxPerReason) this.#evict(sameReason);
    while (this.size > maxLetters || this.#bytes > maxBytes) this.#evict(this.#letters.keys());
  }

  #evict(ids: Iterable<string>): void {
    for (const id of ids) {
      const boxed = this.#letters.get(id);
      this.evicted++;
      if (boxed === undefined) return;
      this.remove(boxed.letter);
      this.#onEvicted(boxed.letter);
      return;
    }
  }

  #idsOf(reason: DeadLetterReason): Set<string> {
    const ids = this.#perReason.get(reason) ?? new Set<string>();
    this.#perReason.set(reason, ids);
    return ids;
  }
}

const MOST_NODES = 10_000;

/** About how many bytes a value holds; a look at 10 000 parts is enough for a bound. */
function sizeOf(value: unknown): number {
  const seen = new Set<unknown>();
  const left: unknown[] = [value];
  let bytes = 0;
  for (let looks = 0; left.length > 0 && looks < MOST_NODES; looks++) {
    const part = left.pop();
    if (typeof part === 'string') bytes += 2 * part.length;
    else if (typeof part !== 'object' || part === null) bytes += 8;
    else if (ArrayBuffer.isView(part)) bytes += byteLengthOf(part);
    else if (!seen.has(part)) {
      seen.add(part);
      bytes += 16;
      for (const [key, child] of entriesOf(part)) {
        bytes += 2 * String(key).length;
        left.push(child);
      }
    }
  }
  return bytes;
}

/** The engine's own word: a subclass may say what it likes. */
function byteLengthOf(view: ArrayBufferView): number {
  const kind = view instanceof DataView ? DataView.prototype : TypedArrayPrototype;
  return Reflect.get(kind, 'byteLength', view) as number;
}

const TypedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;

/** Nothing of what cannot be looked at: a proxy or a getter that throws costs no letter. */
function entriesOf(part: object): Iterable<readonly [unknown, unknown]> {
  try {
    return entriesIn(part);
  } catch {
    return [];
  }
}

function entriesIn(part: object): Iterable<readonly [unknown, unknown]> {
  if (part instanceof Map) return [...Map.prototype.entries.call(part)];
  if (part instanceof Set) return [...Set.prototype.entries.call(part)];
  const prototype = Object.getPrototypeOf(part);
  // Foreign instances are kept by reference; their getters are not for us to call.
  if (prototype !== null && prototype !== Object.prototype && !Array.isArray(part)) return [];
  return Object.entries(part);
}

function bytesOf({ message, error }: Boxed): number {
  return 200 + sizeOf(message.payload) + sizeOf(error);
}
