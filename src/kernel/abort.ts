type Callback = (reason: unknown) => void;

const hubs = new WeakMap<AbortSignal, Set<Callback>>();

/**
 * Calls back when the signal aborts, at once when it has. However many wait on one signal, it has
 * one listener, and none when nobody waits: a signal may outlive a million calls.
 *
 * @returns how to stop waiting.
 */
export function onAbort(signal: AbortSignal, callback: Callback): () => void {
  if (signal.aborted) {
    callback(signal.reason);
    return () => {};
  }
  const callbacks = hubs.get(signal) ?? listen(signal);
  callbacks.add(callback);
  return () => {
    // A second call must not take away the listener of those who came since.
    if (callbacks.delete(callback) && callbacks.size === 0) deafen(signal);
  };
}

const listeners = new WeakMap<AbortSignal, () => void>();

function listen(signal: AbortSignal): Set<Callback> {
  const callbacks = new Set<Callback>();
  const aborted = (): void => {
    deafen(signal);
    for (const callback of callbacks) callback(signal.reason);
  };
  hubs.set(signal, callbacks);
  listeners.set(signal, aborted);
  signal.addEventListener('abort', aborted);
  return callbacks;
}

function deafen(signal: AbortSignal): void {
  const aborted = listeners.get(signal);
  if (aborted !== undefined) signal.removeEventListener('abort', aborted);
  listeners.delete(signal);
  hubs.delete(signal);
}
