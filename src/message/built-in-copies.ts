import type { Copying } from './payload.ts';

/** Clones one kind of built-in object, with the data in it. */
type Copier = (value: object, copying: Copying) => object;

const copiers = new Map<object, Copier>([
  [Map.prototype, copyMap],
  [Set.prototype, copySet],
]);

/** The copier of a built-in kind; what a subclass adds is not known, so subclasses have none. */
export function copierOf(prototype: object): Copier | undefined {
  return copiers.get(prototype);
}

/** Names a kind that holds no other values. */
function leaf<T extends object>(kind: { readonly prototype: T }, clone: (value: T) => T): void {
  copiers.set(kind.prototype, (value, copying) => copying.remember(value, clone(value as T)));
}

leaf(Date, (date) => new Date(date.getTime()));
leaf(RegExp, copyRegExp);
leaf(ArrayBuffer, (buffer) => buffer.slice(0));
leaf(DataView, (view) => new DataView(bytesOf(view)));
if (typeof Buffer === 'function') leaf(Buffer, (buffer) => Buffer.from(bytesOf(buffer)));
for (const Kind of [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
]) {
  leaf<object>(Kind, (array) => new Kind(array as never));
}

/** The bytes of a view and no others: a small Buffer is a window on a pool that all share. */
function bytesOf(view: ArrayBufferView): ArrayBuffer {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice().buffer;
}

function copyRegExp(original: RegExp): RegExp {
  const copy = new RegExp(original.source, original.flags);
  copy.lastIndex = original.lastIndex;
  return copy;
}

function copyMap(original: object, copying: Copying): object {
  const copy = copying.remember(original, new Map<unknown, unknown>());
  let index = 0;
  for (const [key, value] of original as Map<unknown, unknown>) {
    copy.set(copying.copyAt(index, key), copying.copyAt(index, value));
    index++;
  }
  return copy;
}

function copySet(original: object, copying: Copying): object {
  const copy = copying.remember(original, new Set<unknown>());
  let index = 0;
  for (const value of original as Set<unknown>) copy.add(copying.copyAt(index++, value));
  return copy;
}

/** Clones an error with its class, own fields and stack; `message` and `cause` stay hidden keys. */
export function copyError(original: Error, copying: Copying): object {
  const copy = Object.setPrototypeOf(stackless(), Object.getPrototypeOf(original));
  copying.begin(original, copy);
  for (const key of Object.getOwnPropertyNames(original)) {
    // An accessor in newer engines, and no data of the one who threw.
    if (key === 'stack') define(copy, key, copying.copyAt(key, original.stack));
    else copying.copyProperty(original, key, copy);
  }
  return copying.seal(copy);
}

function stackless(): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new Error();
  Error.stackTraceLimit = limit;
  return error;
}

function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}
