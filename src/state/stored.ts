import { topicFault } from '../message/topic.ts';
import type { Floor, StateCore } from './core.ts';
import { KeptVersion, type StateAction } from './entry.ts';
import { StateStoredError } from './errors.ts';
import type { KeptEntry } from './migrate.ts';

/** A version as text. What is `undefined` is left out; a delete has no value. */
export function toText({ key: _, ...version }: ReturnType<KeptVersion['toJSON']>): string {
  return JSON.stringify(version);
}

/**
 * The version that a text stands for.
 *
 * @throws StateStoredError
 */
export function fromText(
  core: StateCore,
  storeKey: string,
  key: string,
  text: string,
): KeptVersion {
  const json = readJson(storeKey, text);
  const fault =
    topicFault(key) === undefined ? faultOf(json) : 'has a key that the state cannot have';
  if (fault !== undefined) throw new StateStoredError(storeKey, fault);
  const { value, version, action, expiresAt } = json;
  const taken = take(core, storeKey, key, value);
  const { revision, at, actor, causationId } = json;
  const commit = { revision, at, author: { actor, causationId }, durable: undefined };
  return new KeptVersion(key, taken.value, version, action, expiresAt, taken.bytes, commit);
}

/** What forgotten keys left behind, as text. */
export function floorToText(floor: Floor): string {
  return JSON.stringify(floor);
}

/** @throws StateStoredError */
export function floorFromText(storeKey: string, text: string): Floor {
  const { version, revision } = readJson(storeKey, text);
  if (isCount(version, 0) && isCount(revision, 0)) return { version, revision };
  throw new StateStoredError(storeKey, 'should have a version and a revision, and has not');
}

/** What a text has, once it was looked at. */
interface StoredJson {
  readonly value: unknown;
  readonly version: number;
  readonly revision: number;
  readonly action: StateAction;
  readonly actor: string;
  readonly causationId: string | undefined;
  readonly at: number;
  readonly expiresAt: number | undefined;
}

function readJson(storeKey: string, text: string): StoredJson {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new StateStoredError(storeKey, 'is no JSON', { cause });
  }
  if (typeof json === 'object' && json !== null) return json as StoredJson;
  throw new StateStoredError(storeKey, 'is no JSON object');
}

/** Says what is wrong with a version. */
export function faultOf(json: Omit<KeptEntry, 'key'>): string | undefined {
  const { version, revision, action, actor, causationId, at, expiresAt } = json;
  if (!isCount(version, 1)) return 'has no version';
  if (!isCount(revision, 1)) return 'has no revision';
  if (!Object.hasOwn(ACTIONS, action)) return 'has no action';
  if (typeof actor !== 'string') return 'has no actor';
  if (causationId !== undefined && typeof causationId !== 'string') return 'has a bad causationId';
  if (!Number.isFinite(at)) return 'has no time';
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) return 'has a bad expiresAt';
  return undefined;
}

/** A record, so that a new action cannot be left out. */
const ACTIONS: Readonly<Record<StateAction, true>> = {
  created: true,
  set: true,
  updated: true,
  merged: true,
  deleted: true,
  expired: true,
  reverted: true,
  restored: true,
  migrated: true,
  'rolled-back': true,
};

function take(core: StateCore, storeKey: string, key: string, value: unknown) {
  if (value === undefined) return { value, bytes: 0 };
  try {
    return core.own(key, value);
  } catch (cause) {
    throw new StateStoredError(storeKey, 'has a value that the state cannot take', { cause });
  }
}

function isCount(value: unknown, from: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= from;
}
