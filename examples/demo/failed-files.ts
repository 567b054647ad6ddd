import type { MessageBus } from 'tellask';
import type { Desk } from './desk.ts';

/** A file that nobody could read at first. */
export interface FailedFile {
  readonly path: string;
  /** Why it became a dead letter: `rejected`, `max-attempts` … */
  readonly reason: string;
  readonly attempts: number;
  readonly why: string;
}

/** The files among the dead letters. */
export function listFailed(bus: MessageBus<Desk>): FailedFile[] {
  return bus.deadLetters.list({ topic: 'file.*.found' }).map((letter) => ({
    path: (letter.message.payload as { readonly path: string }).path,
    reason: letter.reason,
    attempts: letter.attempts,
    why: letter.error?.message ?? 'It is not known why.',
  }));
}

/** Has the files tried again whose cause may be gone; what was rejected is left alone. */
export async function redriveFailed(bus: MessageBus<Desk>): Promise<void> {
  await bus.deadLetters.redrive({ topic: 'file.*.found', reason: 'max-attempts' });
  await bus.drain({ timeoutMs: Infinity });
}
