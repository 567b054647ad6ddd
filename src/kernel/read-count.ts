import { misuse } from './errors.ts';

/** Checks that an option is a whole number, or unlimited, and gives it back. */
export function readCount(name: string, value: unknown, from: number): number {
  if (typeof value !== 'number') throw misuse(name, 'a number', value);
  if (value !== Infinity && !(Number.isSafeInteger(value) && value >= from)) {
    throw new RangeError(
      `${name} must be a whole number from ${from}, or Infinity, but it is ${value}`,
    );
  }
  return value;
}
