/** What says that an answer did not come: the question may have been heard all the same. */
const CODES: ReadonlySet<unknown> = new Set([
  'ABORT_ERR',
  'ECONNABORTED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_ABORTED',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_SOCKET',
  'TELLASK_BUDGET',
  'TELLASK_CANCELLED',
  'TELLASK_CLOSED',
  'TELLASK_DEAD_LETTERED',
  'TELLASK_FENCED',
  'TELLASK_HANDLER_TIMEOUT',
  'TELLASK_INTERRUPTED',
  'TELLASK_PAYLOAD',
  'TELLASK_RESPONDER_LEFT',
  'TELLASK_SAGA_DATA',
  'TELLASK_SAGA_STEP_TIMEOUT',
  'TELLASK_TIMEOUT',
]);
const NAMES: ReadonlySet<unknown> = new Set(['AbortError', 'TimeoutError', 'TaskCancelledError']);
const MAX_CAUSES = 8;

/**
 * Whether an error, or what led to it, leaves open that the step has had its effect. Everything
 * else is taken at its word: a step that fails has done nothing.
 */
export function leavesOpen(error: unknown): boolean {
  let one = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof one === 'object' && one !== null; depth += 1) {
    if (CODES.has(read(one, 'code')) || NAMES.has(read(one, 'name'))) return true;
    if (isRefusedAnswer(one)) return true;
    one = read(one, 'cause');
  }
  return false;
}

/** Who gave an answer that the contract does not allow has done what he was asked. */
function isRefusedAnswer(error: object): boolean {
  if (read(error, 'code') !== 'TELLASK_VALIDATION') return false;
  const what = read(error, 'what');
  return what === 'output' || what === 'chunk';
}

function read(from: object, key: string): unknown {
  try {
    return Reflect.get(from, key);
  } catch {
    return undefined;
  }
}
