import { checksumOf } from '../state/checksum.ts';

const MAX_LENGTH = 64;
/** Topics that a name can spell: the underscore stands for the dot, so it must not occur. */
const SPELLABLE = /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/;
const MARK_LENGTH = 12;

/**
 * The name by which a model calls what is asked on a topic: `search.web` is `search_web`. What has
 * other characters or is too long ends in `__` and a mark, which no spelt name has, so that two
 * topics never share a name.
 */
export function toolName(topic: string): string {
  if (topic.length <= MAX_LENGTH && SPELLABLE.test(topic)) return topic.replaceAll('.', '_');
  const mark = checksumOf(topic, undefined).replace(/^.*:/, '').slice(0, MARK_LENGTH);
  const legible = topic.replace(/[^A-Za-z0-9-]+/g, '_').replace(/^_|_$/g, '');
  return `${legible.slice(0, MAX_LENGTH - MARK_LENGTH - 2)}__${mark}`;
}
