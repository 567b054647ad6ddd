import type { Ledger } from '../delivery/ledger.ts';
import type { Logger } from '../observe/logger.ts';

/** Reports what user code broke; counts it in any case. */
export type Fault = (error: unknown, where: string) => void;

/** Who is told of faults beside `onFault`. Both are user code, and may fault themselves. */
interface FaultListeners {
  readonly logger: Logger;
  readonly emit: Fault;
}

/** User code that hears of faults, and may fault itself. */
const TOLD_OF_FAULTS: readonly string[] = ['logger', 'listener of fault'];

/** What user code broke, for whoever wants to hear of it. */
export class Faults {
  readonly #ledger: Ledger;
  readonly #onFault: Fault | undefined;
  #listeners: FaultListeners | undefined;
  #telling = false;

  constructor(ledger: Ledger, onFault: Fault | undefined) {
    this.#ledger = ledger;
    this.#onFault = onFault;
  }

  /** The listeners report their own faults, so they come later. */
  listen(listeners: FaultListeners): void {
    this.#listeners = listeners;
  }

  readonly report: Fault = (error, where) => {
    this.#ledger.faults++;
    // A listener of faults that faults itself is counted and not told to itself again.
    if (this.#telling) return;
    this.#telling = true;
    try {
      // What breaks while it is told of a fault, perhaps a turn later, is not told of its own:
      // the two would go on for ever.
      if (!TOLD_OF_FAULTS.includes(where)) this.#tell(error, where);
      const heard: unknown = this.#onFault?.(error, where);
      if (heard instanceof Promise) heard.catch(() => this.#ledger.faults++);
    } catch {
      this.#ledger.faults++;
    } finally {
      this.#telling = false;
    }
  };

  #tell(error: unknown, where: string): void {
    this.#listeners?.logger.error(`fault in ${where}`, {
      error: String((error as Error)?.message ?? error),
    });
    this.#listeners?.emit(error, where);
  }
}
