import { createHash } from 'node:crypto';

// A topic has at most 256 characters and encodes a byte as three at the worst, so 78 bytes leave
// room for the rest of the longest topic.
const MOST_BYTES = 78;

/**
 * Names a path in a topic: the path itself, or, when it is too long for that, a fingerprint and
 * the end of the path. The payload has the whole path.
 */
export function nameOf(path: string): string {
  const isText = !/\p{Cs}/u.test(path);
  if (path !== '' && isText && Buffer.byteLength(path) <= MOST_BYTES) return path;
  const fingerprint = createHash('sha256').update(path, 'utf16le').digest('hex').slice(0, 16);
  const end = path.replace(/[^ -~]/g, '').slice(-40);
  return `${fingerprint}~${end}`;
}
