import type { Scheduled } from './schedule.ts';

/**
 * What one call of a handler has told, held until it has succeeded: then it leaves in the order in
 * which it was told. What a failed call has told is withdrawn, so that the next one can tell it.
 */
export class Outbox {
  /** Somebody has asked for the outcome of what is held; the handler itself would wait for ever. */
  watched = false;
  readonly #held: { readonly message: Scheduled; readonly key: string | undefined }[] = [];
  #withdrawn = false;

  /** `key`: what it is known by among the messages of this call. */
  hold(message: Scheduled, key: string | undefined): void {
    // The call has failed already, and what it still does is for nothing.
    if (this.#withdrawn) message.cancel();
    else this.#held.push({ message, key });
  }

  find(key: string): Scheduled | undefined {
    return this.#held.find((held) => held.key === key && held.message.held)?.message;
  }

  release(): void {
    for (const { message } of this.#held) message.letGo();
  }

  withdraw(): void {
    this.#withdrawn = true;
    for (const { message } of this.#held.splice(0)) message.cancel();
  }
}
