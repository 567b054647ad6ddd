import type { Candidate, Selection, SelectionCall } from '../delivery/selection.ts';
import { misuse } from '../kernel/errors.ts';

/**
 * The same agent for the same key, as long as it serves; when agents come or go, only the keys move
 * that have to. Without a key, what is said decides nothing and all go to one agent.
 *
 * Rendezvous hashing: Thaler and Ravishankar, "Using name-based mappings to increase hit rates",
 * IEEE/ACM Transactions on Networking, 1998.
 *
 * @param keyOf What stays together; objects are refused, since their text says nothing.
 * @throws TypeError for what is no function, and in the call when the key is an object.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { sticky } from 'tellask/agents';
 * const select = sticky(({ payload }) => (payload as { user: string }).user);
 * const bus = new MessageBus({ select });
 * for (const name of ['ann', 'ben', 'cid']) bus.register(name).serve('whoami', () => name);
 * const first = await bus.request('whoami', { user: 'u7' });
 * (await bus.request('whoami', { user: 'u7' })) === first; // => true
 * ```
 */
export function sticky(keyOf: (call: SelectionCall) => unknown): Selection {
  if (typeof keyOf !== 'function') throw misuse('sticky', 'a function that gives the key', keyOf);
  const keyed = (call: SelectionCall): string => textOf(keyOf(call));
  return {
    name: 'sticky',
    choose: (candidates, call) => highest(candidates, keyed(call)),
    explain(candidates, call) {
      const key = keyed(call);
      const chosen = highest(candidates, key);
      return candidates.map((one) => (one === chosen ? `has the key ${key}` : 'has other keys'));
    },
  };
}

function highest(candidates: readonly Candidate[], key: string): Candidate | undefined {
  let best: Candidate | undefined;
  let most = -1;
  for (const candidate of candidates) {
    const score = hash(`${candidate.agent}\0${key}`);
    if (score <= most) continue;
    best = candidate;
    most = score;
  }
  return best;
}

function textOf(key: unknown): string {
  if (typeof key === 'object' && key !== null) {
    throw misuse('The key of sticky', 'a string or a number', key);
  }
  return `${typeof key} ${String(key)}`;
}

/** FNV-1a, and then the finisher of MurmurHash3: neighbours end far from each other. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
