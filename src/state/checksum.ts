import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { misuse } from '../kernel/errors.ts';

/** The secret that makes of a checksum a signature. */
export type SnapshotKey = string | Uint8Array;

/** Everybody knows the empty secret: a signature that anybody can make is none. */
export function checkSecret(key: SnapshotKey | undefined): void {
  if (key?.length === 0) throw misuse('key', 'a secret that is not empty', key);
}

/** A checksum that changes with the value and with nothing else; with a key, a signature. */
export function checksumOf(value: unknown, key: SnapshotKey | undefined): string {
  const text = canonical(value);
  if (key === undefined) return `sha256:${createHash('sha256').update(text).digest('hex')}`;
  return `hmac-sha256:${createHmac('sha256', key).update(text).digest('hex')}`;
}

/** Compares in a time that says nothing about where they differ. */
export function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** JSON with one way to write it: keys in order, no blanks (RFC 8785). */
export function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const object = value as Record<string, unknown>;
  const keys = Object.keys(object).filter((key) => object[key] !== undefined);
  const parts = keys.sort().map((key) => `${JSON.stringify(key)}:${canonical(object[key])}`);
  return `{${parts.join(',')}}`;
}
