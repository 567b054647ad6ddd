import { misuse } from '../kernel/errors.ts';

/** A version of a protocol: `1.4`. */
const VERSION = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/;

/** @throws TypeError for what is no version. */
export function readVersion(what: string, given: unknown): readonly [major: number, minor: number] {
  const found = typeof given === 'string' ? VERSION.exec(given) : null;
  if (found === null) throw misuse(what, "a version such as '1.4'", given);
  return [Number(found[1]), Number(found[2])];
}

/**
 * The highest of the offered versions that one who speaks `wanted` understands: of the same major
 * version, and not older.
 */
export function agreedVersion(wanted: string, offered: readonly string[]): string | undefined {
  const [major, minor] = readVersion('version', wanted);
  let best: string | undefined;
  let newest = minor - 1;
  for (const version of offered) {
    const [offeredMajor, offeredMinor] = readVersion('versions', version);
    if (offeredMajor !== major || offeredMinor <= newest) continue;
    best = version;
    newest = offeredMinor;
  }
  return best;
}

export function isVersion(given: unknown): given is string {
  return typeof given === 'string' && VERSION.test(given);
}
