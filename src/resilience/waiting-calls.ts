import { type Linked, LinkedList } from '../kernel/linked-list.ts';
import type { Call } from './call.ts';
import type { Work } from './policy.ts';

/** Calls that wait for their turn, oldest first. One that is called off leaves at once. */
export class WaitingCalls {
  readonly #calls = new LinkedList<WaitingCall>();
  readonly #left: () => void;

  /** `left` is told when a call has left before its turn. */
  constructor(left: () => void = () => {}) {
    this.#left = left;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Settles as the call does when it has had its turn, or with why it was called off. */
  wait<T>(fn: Work<T>, call: Call): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting = new WaitingCall(fn, call, resolve as WaitingCall['settle']);
      this.#calls.add(waiting);
      waiting.unlisten = call.onAbort((reason) => {
        this.#calls.remove(waiting);
        reject(reason);
        this.#left();
      });
    });
  }

  /** Takes out the oldest, who has to be settled. */
  shift(): WaitingCall | undefined {
    const oldest = this.#calls.shift();
    oldest?.unlisten?.();
    return oldest;
  }
}

/** One of {@link WaitingCalls}. */
class WaitingCall implements Linked<WaitingCall> {
  previous: WaitingCall | undefined;
  next: WaitingCall | undefined;
  unlisten: (() => void) | undefined;
  readonly fn: Work<unknown>;
  readonly call: Call;
  readonly settle: (result: Promise<unknown>) => void;

  constructor(fn: Work<unknown>, call: Call, settle: WaitingCall['settle']) {
    this.fn = fn;
    this.call = call;
    this.settle = settle;
  }
}
