import { TellaskError } from '../kernel/errors.ts';
import { copierOf, copyError } from './built-in-copies.ts';
import { pointerTo } from './json-pointer.ts';

/** Levels of arrays and objects inside each other that a payload may have. */
const MAX_PAYLOAD_DEPTH = 100;

const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/** Options of {@link own}. */
export interface OwnOptions {
  /** Levels of arrays and objects inside each other. @default 100 */
  readonly maxDepth?: number;
  /** Told of each function and class instance, which pass by reference. */
  readonly onReference?: (reference: object) => void;
}

/** A payload that cannot be taken: `path` is a JSON pointer (RFC 6901) to what is wrong. */
export class PayloadError extends TellaskError {
  readonly path: string;
  readonly problem: string;

  constructor(path: string, problem: string, options?: { readonly cause: unknown }) {
    super('TELLASK_PAYLOAD', `The payload ${path === '' ? '' : `at ${path} `}${problem}`, options);
    this.path = path;
    this.problem = problem;
  }
}

/** Returns any object from a constructor, so that a subclass puts its private field on it. */
class Stamp {
  constructor(target: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the point of this class
    return target;
  }
}

/**
 * Remembers what the library owns by a private field on the object itself: no one else can see,
 * forge or remove it. A WeakSet says the same, but adding to one costs four times the freezing.
 */
class Owned extends Stamp {
  /** About how many bytes it has as JSON, where whoever made it has counted; else 0. */
  readonly #size: number;

  constructor(target: object, size: number) {
    super(target);
    this.#size = size;
  }

  static has(value: object): boolean {
    return #size in value;
  }

  static isMeasured(value: object): boolean {
    return #size in value && value.#size > 0;
  }

  static sizeOf(value: object): number {
    return (value as Owned).#size;
  }
}

/**
 * Takes a payload into the library's own: plain data is copied and frozen in one pass, and what
 * is owned already comes back as it is. The caller's object is neither frozen nor kept.
 *
 * - Plain objects and arrays are copied, with cycles and shared parts as they are. Keys that are
 *   symbols or not enumerable are left out, as `structuredClone` does.
 * - `Date`, `Map`, `Set`, `RegExp`, errors, buffers and typed arrays are cloned into the copy;
 *   JavaScript cannot freeze them, errors apart.
 * - Functions and instances of other classes stay the same references: see `onReference`.
 *
 * An index of an array is read once, and what an accessor there returns counts as data: to look
 * for one would cost five times the copying.
 *
 * @throws PayloadError `TELLASK_PAYLOAD` with the path: an accessor, too deep, or unreadable.
 */
export function own<T>(value: T, options?: OwnOptions): T {
  if (typeof value !== 'object' && typeof value !== 'function') return value;
  if (value === null || Owned.has(value)) return value;
  return new Copying(true, options).run(value) as T;
}

/** Whether {@link own} made this object, so that the plain data in it is frozen to the bottom. */
export function isOwned(value: object): boolean {
  return Owned.has(value);
}

/**
 * Says of a copy of JSON that the state has made and freezes now, of about so many bytes: {@link own}
 * need not copy it again. One mark says both, for each costs as much as a property.
 */
export function markOwned(copy: object, size: number): void {
  new Owned(copy, size);
}

/** Whether {@link markOwned} was called with this object. */
export function isMeasured(value: object): boolean {
  return Owned.isMeasured(value);
}

/** What {@link markOwned} was told of it. One look-up, so only for what has the mark. */
export function sizeOf(value: object): number {
  return Owned.sizeOf(value);
}

/** A fresh copy by the rules of {@link own} that is not frozen: the receiver's to change. */
export function clonePayload<T>(value: T, options?: OwnOptions): T {
  if (typeof value !== 'object' && typeof value !== 'function') return value;
  if (value === null) return value;
  return new Copying(false, options).run(value) as T;
}

/** One walk over one payload. */
export class Copying {
  readonly #owning: boolean;
  readonly #maxDepth: number;
  readonly #onReference: ((reference: object) => void) | undefined;
  readonly #copies: Map<object, object> = new Map();
  /** The keys from the root to what is copied now; `#depth` says how many of them count. */
  readonly #path: (string | number)[] = [];
  #depth = 0;

  constructor(owning: boolean, options: OwnOptions = {}) {
    this.#owning = owning;
    this.#maxDepth = options.maxDepth ?? MAX_PAYLOAD_DEPTH;
    this.#onReference = options.onReference;
  }

  run(root: object): unknown {
    try {
      return this.copy(root);
    } catch (error) {
      if (error instanceof PayloadError) throw error;
      throw new PayloadError(this.#pointer(), 'cannot be read', { cause: error });
    }
  }

  /** The copy of a part that stands under `key` of the part that is copied now. */
  copyAt(key: string | number, value: unknown): unknown {
    if (typeof value !== 'object' && typeof value !== 'function') return value;
    if (value === null) return value;
    this.#path[this.#depth++] = key;
    const copy = this.copy(value);
    this.#depth--;
    return copy;
  }

  copy(value: object): object {
    if (typeof value === 'function') return this.#refer(value);
    if (this.#owning && Owned.has(value)) return value;
    return this.#copies.get(value) ?? this.#copyNew(value);
  }

  /** Begins a copy that `seal` ends. An empty object is stamped, for then one shape is all. */
  begin<T extends object>(original: object, copy: T): T {
    if (this.#owning) new Owned(copy, 0);
    return this.remember(original, copy);
  }

  /** Names the copy before its parts are copied, for they may lead back to it. */
  remember<T extends object>(original: object, copy: T): T {
    if (this.#depth >= this.#maxDepth) this.#refuse(`is deeper than ${this.#maxDepth} levels`);
    this.#copies.set(original, copy);
    return copy;
  }

  copyProperty(original: object, key: string, copy: object): void {
    const descriptor = Object.getOwnPropertyDescriptor(original, key);
    if (descriptor === undefined) return; // a proxy that named a key which it does not have
    const { value } = descriptor;
    if (value === undefined && !('value' in descriptor)) this.#refuseAt(key, 'is an accessor');
    const part = this.copyAt(key, value);
    // Assigning to an inherited name would call the setter of __proto__, and throw for the others
    // where somebody has frozen Object.prototype.
    if (INHERITED.has(key) || !descriptor.enumerable) {
      Object.defineProperty(copy, key, {
        ...descriptor,
        value: part,
        writable: true,
        configurable: true,
      });
    } else (copy as Record<string, unknown>)[key] = part;
  }

  /** Freezes a finished copy, unless it is to be the receiver's to change. */
  seal<T extends object>(copy: T): T {
    return this.#owning ? Object.freeze(copy) : copy;
  }

  #copyNew(value: object): object {
    if (Array.isArray(value)) return this.#copyArray(value);
    const prototype: object | null = Object.getPrototypeOf(value);
    if (prototype === Object.prototype) return this.#copyPlain(value, {});
    if (prototype === null) return this.#copyPlain(value, Object.create(null));
    const copier = copierOf(prototype);
    if (copier !== undefined) return copier(value, this);
    if (value instanceof Error) return copyError(value, this);
    return isForeignPlain(prototype) ? this.#copyPlain(value, {}) : this.#refer(value);
  }

  #copyPlain(value: object, copy: object): object {
    this.begin(value, copy);
    for (const key of Object.keys(value)) this.copyProperty(value, key, copy);
    return this.seal(copy);
  }

  #copyArray(value: readonly unknown[]): object {
    const copy: unknown[] = [];
    this.begin(value, copy);
    const length = value.length;
    for (let i = 0; i < length; i++) {
      const item = value[i];
      if (item === undefined && !Object.hasOwn(value, i)) return this.#copySparse(value, copy);
      copy.push(this.copyAt(i, item));
    }
    return this.seal(copy);
  }

  /** By its keys, for the length of a sparse array says nothing about the work that it makes. */
  #copySparse(value: readonly unknown[], copy: unknown[]): object {
    const copied = copy.length;
    copy.length = value.length;
    for (const key of Object.keys(value)) {
      if (isIndex(key) && Number(key) >= copied) this.copyProperty(value, key, copy);
    }
    return this.seal(copy);
  }

  /** What is neither data nor one of the built-in kinds: the place where a stricter walk refuses. */
  #refer(reference: object): object {
    this.#onReference?.(reference);
    return reference;
  }

  #refuseAt(key: string, problem: string): never {
    this.#path[this.#depth++] = key;
    this.#refuse(problem);
  }

  #refuse(problem: string): never {
    throw new PayloadError(this.#pointer(), problem);
  }

  #pointer(): string {
    return pointerTo(this.#path.slice(0, this.#depth));
  }
}

function isIndex(key: string): boolean {
  return String(Number(key) >>> 0) === key;
}

/** An object literal of another realm, such as a `vm` context: its prototype is not ours. */
export function isForeignPlain(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}
