import { pointerTo } from '../message/json-pointer.ts';
import { isForeignPlain, isMeasured, markOwned, sizeOf } from '../message/payload.ts';
import { isContainer, isEqual, isObject } from './equal.ts';
import { StateValueError } from './errors.ts';

/** What a value may cost. */
export interface ValueLimits {
  readonly maxDepth: number;
  readonly maxBytes: number;
}

/** A value in the state's own. */
export interface Taken {
  readonly value: unknown;
  /** About how many bytes it has as JSON. */
  readonly bytes: number;
  /** How many of them are new: the others are shared with the value before. */
  readonly fresh: number;
}

/**
 * Takes a JSON value into the state's own in one pass: checked, copied, frozen, counted, and
 * reconciled with the value before, so that what is equal stays the same object. What the state
 * made already comes back as it is.
 *
 * @throws StateValueError `TELLASK_STATE_VALUE` with a JSON pointer.
 */
export function takeValue(
  key: string,
  value: unknown,
  previous: unknown,
  limits: ValueLimits,
): Taken {
  return new Taking(key, limits).run(value, previous);
}

type ObjectLike = Readonly<Record<string, unknown>>;
type Json = ObjectLike | readonly unknown[];

/** One walk over one value. */
class Taking {
  readonly #key: string;
  readonly #limits: ValueLimits;
  readonly #path: (string | number)[] = [];
  /** The containers that are being walked, few enough for a list: one that comes again is a cycle. */
  readonly #open: object[] = [];
  #depth = 0;
  #fresh = 0;

  constructor(key: string, limits: ValueLimits) {
    this.#key = key;
    this.#limits = limits;
  }

  run(value: unknown, previous: unknown): Taken {
    const taken = this.#read(value, previous);
    const bytes = this.#bytesOf(taken);
    if (!isContainer(taken) && taken !== previous) this.#fresh += bytes;
    if (bytes > this.#limits.maxBytes) {
      this.#refuse(`has about ${bytes} bytes, more than ${this.#limits.maxBytes}`);
    }
    return { value: taken, bytes, fresh: this.#fresh };
  }

  /** A proxy may throw whatever it likes, wherever it is looked at. */
  #read(value: unknown, previous: unknown): unknown {
    try {
      return this.#take(value, previous);
    } catch (cause) {
      if (cause instanceof StateValueError) throw cause;
      throw new StateValueError(this.#key, this.#pointer(), 'cannot be read', { cause });
    }
  }

  #take(value: unknown, previous: unknown): unknown {
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
    if (typeof value === 'number') return this.#number(value);
    if (typeof value !== 'object') return this.#refuse(NOT_JSON[typeof value] ?? 'is no JSON');
    if (isMeasured(value)) return this.#known(value, previous);
    return this.#container(value, previous);
  }

  /** Made by the state already, but maybe equal to what is there: then that stays. */
  #known(value: object, previous: unknown): object {
    if (value !== previous && this.#depth > this.#limits.maxDepth) this.#tooDeep();
    return value;
  }

  #number(value: number): number {
    if (!Number.isFinite(value)) this.#refuse(`is ${value}, which JSON has no word for`);
    return value === 0 ? 0 : value; // JSON has one zero
  }

  #container(value: object, previous: unknown): unknown {
    if (this.#depth >= this.#limits.maxDepth) this.#tooDeep();
    if (this.#open.includes(value)) this.#refuse('leads back to itself');
    this.#open.push(value);
    const taken = Array.isArray(value)
      ? this.#array(value, Array.isArray(previous) ? previous : undefined)
      : this.#object(value, previous);
    this.#open.pop();
    return taken;
  }

  #array(value: readonly unknown[], previous: readonly unknown[] | undefined): unknown {
    this.#checkArray(value);
    if (previous?.length === value.length) return this.#sameLength(value, previous);
    const copy: unknown[] = [];
    const costs: number[] = [];
    const { length } = value;
    for (let i = 0; i < length; i++) {
      const cost = this.#fresh;
      copy.push(this.#part(i, value[i], previous?.[i]));
      costs.push(this.#fresh - cost);
    }
    if (previous !== undefined) this.#shareEnd(copy, previous, costs);
    return this.#sealArray(copy, previous);
  }

  /**
   * Looks closely only at what has changed: what is there was checked when it came. Both are copied
   * first, since an element of a frozen array takes six times as long to read.
   */
  #sameLength(value: readonly unknown[], previous: readonly unknown[]): unknown {
    // No spread: an array may bring its own iterator.
    const copy: unknown[] = Array.prototype.toSpliced.call(value, 0, 0);
    const before = [...previous];
    const { length } = before;
    if (copy.length !== length) copy.length = length; // a proxy that has changed its mind
    let bytes = this.#bytesOf(previous);
    let fresh = 2 + length;
    let same = true;
    for (let i = 0; i < length; i++) {
      const item = copy[i];
      const old = before[i];
      if (item === old && item !== 0) continue; // JSON has one zero
      const part = this.#part(i, item, old);
      copy[i] = part;
      if (part === old) continue;
      same = false;
      const size = this.#bytesOf(part);
      bytes += size - this.#bytesOf(old);
      if (!isContainer(part)) fresh += size;
    }
    return same ? previous : this.#seal(copy, bytes, fresh);
  }

  /** What came into a list, or went, has moved all that is behind it. */
  #shareEnd(copy: unknown[], previous: readonly unknown[], costs: readonly number[]): void {
    const shift = previous.length - copy.length;
    for (let i = copy.length - 1; i >= 0 && i + shift >= 0; i--) {
      const before = previous[i + shift];
      if (!isEqual(copy[i], before)) return;
      if (!isContainer(before) || copy[i] === before) continue;
      copy[i] = before;
      this.#fresh -= costs[i] as number;
    }
  }

  #object(value: object, previous: unknown): unknown {
    this.#checkPlain(value);
    const before = isObject(previous) ? previous : undefined;
    const keys = Object.keys(value);
    if (before !== undefined && sameKeys(keys, before)) return this.#sameShape(value, before, keys);
    const copy: Record<string, unknown> = {};
    let bytes = 2;
    let fresh = 2;
    for (const key of keys) {
      const old = before !== undefined && Object.hasOwn(before, key) ? before[key] : undefined;
      const part = this.#part(key, this.#property(value, key), old);
      const size = this.#bytesOf(part);
      const name = key.length + 4;
      bytes += name + size;
      fresh += name;
      if (part !== old && !isContainer(part)) fresh += size;
      copy[key] = part;
    }
    return this.#seal(copy, bytes, fresh);
  }

  /** As with a list of the same length: only what differs is looked at. */
  #sameShape(value: object, before: ObjectLike, keys: readonly string[]): unknown {
    const copy: Record<string, unknown> = {};
    let bytes = this.#bytesOf(before);
    let fresh = 2;
    let same = true;
    for (const key of keys) {
      const old = before[key];
      const item = this.#property(value, key);
      const part = item === old ? old : this.#part(key, item, old);
      copy[key] = part;
      fresh += key.length + 4;
      if (part === old) continue;
      same = false;
      const size = this.#bytesOf(part);
      bytes += size - this.#bytesOf(old);
      if (!isContainer(part)) fresh += size;
    }
    return same ? before : this.#seal(copy, bytes, fresh);
  }

  /** The value of a property; an accessor is no data. */
  #property(value: object, key: string): unknown {
    if (key === '__proto__') this.#refuseAt(key, 'is a name that JSON objects may not have here');
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    const data: unknown = descriptor?.value;
    if (data === undefined && (descriptor === undefined || !('value' in descriptor))) {
      this.#refuseAt(key, 'is an accessor');
    }
    return data;
  }

  #part(key: string | number, value: unknown, previous: unknown): unknown {
    this.#path[this.#depth++] = key;
    const part = this.#take(value, previous);
    this.#depth--;
    return part;
  }

  #sealArray(copy: readonly unknown[], previous: readonly unknown[] | undefined): Json {
    let bytes = 2 + copy.length;
    let fresh = bytes;
    for (let i = 0; i < copy.length; i++) {
      const size = this.#bytesOf(copy[i]);
      bytes += size;
      if (!isContainer(copy[i]) && copy[i] !== previous?.[i]) fresh += size;
    }
    return this.#seal(copy, bytes, fresh);
  }

  /** Freezes a finished copy. */
  #seal(copy: Json, bytes: number, fresh: number): Json {
    this.#fresh += fresh;
    markOwned(copy, bytes);
    return Object.freeze(copy);
  }

  #bytesOf(value: unknown): number {
    if (typeof value === 'string') return Buffer.byteLength(value) + 2;
    if (typeof value === 'object' && value !== null) return sizeOf(value);
    return typeof value === 'number' ? 8 : 4;
  }

  #checkArray(value: readonly unknown[]): void {
    const prototype: object | null = Object.getPrototypeOf(value);
    if (prototype === Array.prototype) return;
    // In another realm, too, the prototype of an array is two steps away from nothing.
    const above = prototype && Object.getPrototypeOf(prototype);
    if (above && Object.getPrototypeOf(above) === null) return;
    this.#refuse('is an instance of a class; JSON has plain objects and arrays only');
  }

  #checkPlain(value: object): void {
    const prototype: object | null = Object.getPrototypeOf(value);
    if (prototype === null || prototype === Object.prototype) return;
    if (isForeignPlain(prototype)) return;
    this.#refuse('is an instance of a class; JSON has plain objects and arrays only');
  }

  #tooDeep(): never {
    return this.#refuse(`is deeper than ${this.#limits.maxDepth} levels`);
  }

  #refuseAt(key: string, problem: string): never {
    this.#path[this.#depth++] = key;
    return this.#refuse(problem);
  }

  #refuse(problem: string): never {
    throw new StateValueError(this.#key, this.#pointer(), problem);
  }

  #pointer(): string {
    return pointerTo(this.#path.slice(0, this.#depth));
  }
}

const NOT_JSON: Readonly<Record<string, string>> = {
  undefined: 'is undefined; leave the property out, or write null',
  function: 'is a function',
  symbol: 'is a symbol',
  bigint: 'is a bigint; write it as a string',
};

function sameKeys(keys: readonly string[], other: object): boolean {
  const others = Object.keys(other);
  return keys.length === others.length && keys.every((key, i) => key === others[i]);
}
