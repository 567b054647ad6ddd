import type { Envelope } from '../message/envelope.ts';
import { clonePayload, own } from '../message/payload.ts';
import type { Ledger } from './ledger.ts';

/** What keeps handlers from changing what others see. */
export type Isolation = 'own' | 'clone' | 'share';

/** Takes payloads in as the bus's isolation says. */
export class PayloadKeeper {
  readonly isolation: Isolation;
  readonly #options: { readonly maxDepth: number; readonly onReference: () => void };

  constructor(isolation: Isolation, maxDepth: number, ledger: Ledger) {
    this.isolation = isolation;
    this.#options = { maxDepth, onReference: () => ledger.byReference++ };
  }

  /** @throws PayloadError `TELLASK_PAYLOAD` */
  keep(payload: unknown): unknown {
    if (typeof payload !== 'object' && typeof payload !== 'function') return payload;
    return this.isolation === 'share' ? payload : own(payload, this.#options);
  }

  /** For the letter of a refused call: what cannot be owned is left out. */
  keepAnything(payload: unknown): unknown {
    try {
      return this.keep(payload);
    } catch {
      return undefined;
    }
  }

  /** What one delivery gets to see. */
  forDelivery(message: Envelope): Envelope {
    if (this.isolation !== 'clone') return message;
    return message.withPayload(clonePayload(message.payload, this.#options));
  }
}
