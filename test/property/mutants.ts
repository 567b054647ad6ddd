/** One small wrong in a copy of the library, which the property test must see. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly replacement: string;
  /** Seen only where messages take the shortcut through the ring. */
  readonly ring?: boolean;
}

/** Faults that a bus of this kind could really have: R:A4 names the first four. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a retry that waits while the bus closes is lost',
    file: 'delivery/take-out.ts',
    text: 'if (home instanceof Worker) taken.push(...home.withdrawRetries(matches));',
    replacement: '',
  },
  {
    name: 'a retry that waits takes no place',
    file: 'delivery/entry.ts',
    text: 'delivery.keepsPlace = true;\n  delivery.home.mailbox.hold();',
    replacement: 'delivery.keepsPlace = true;',
  },
  {
    name: 'an expired message is handled as well',
    file: 'delivery/worker.ts',
    text: 'else if (passesRate(delivery)) {',
    replacement: 'if (passesRate(delivery)) {',
  },
  {
    name: 'closing forgets what is in flight',
    file: 'delivery/shutdown.ts',
    text: "attempt.worker.abandon(attempt, (delivery) => outcomes.cancelled(delivery, 'closed'));",
    replacement: '',
  },
  {
    name: 'a retry that waits can be dropped as the oldest',
    file: 'delivery/worker.ts',
    text: 'this.#retries.add(delivery, delayMs, held);',
    replacement:
      'this.#retries.add(delivery, delayMs, held); if (!held) delivery.home.mailbox.push(delivery);',
  },
  {
    name: 'a copy in the ring is handed over after unsubscribe',
    file: 'delivery/subscriptions.ts',
    text: 'if (!subscription.active) return;\n    dispatcher.spill();',
    replacement: 'if (!subscription.active) return;',
    ring: true,
  },
  {
    name: 'who waits behind a key releases it when it ends',
    file: 'delivery/take-out.ts',
    text: 'if (forgetKey) delivery.key = undefined;',
    replacement: '',
  },
  {
    name: 'a copy that waits for a place is forgotten when the bus closes',
    file: 'delivery/take-out.ts',
    text: 'for (const one of mailbox.withdrawWhere(matches)) taken.push(one);',
    replacement: '',
  },
  {
    name: 'a fenced handler that ends gives a second outcome',
    file: 'delivery/worker.ts',
    text: 'if (!attempt.fenced) this.#ended(attempt, failure, value);',
    replacement: 'this.#ended(attempt, failure, value); if (attempt.fenced) {}',
  },
  {
    name: 'the asker is answered twice',
    file: 'delivery/outcomes.ts',
    text: 'if (!delivery.replied) admission.asker?.answer(value);',
    replacement: 'admission.asker?.answer(value);',
  },
  {
    name: 'who waits for a place is not let in when a message that kept it has ended',
    file: 'delivery/outcomes.ts',
    text: 'if (givePlace(delivery)) letIn(delivery.home, this.#ledger);',
    replacement: 'givePlace(delivery);',
  },
  {
    name: 'a hung handler is not fenced',
    file: 'delivery/worker.ts',
    text: "attempt.fence();\n    if (events.has('abandoned'))",
    replacement: "if (events.has('abandoned'))",
  },
  {
    name: 'what a failed attempt has told is said',
    file: 'delivery/settling.ts',
    text: 'attempt.takeBack();',
    replacement: 'attempt.letOut();',
  },
  {
    name: 'what is held is forgotten when its handler has succeeded',
    file: 'delivery/settling.ts',
    text: 'attempt.letOut();',
    replacement: '',
  },
  {
    name: 'what is held leaves in another order',
    file: 'delivery/outbox.ts',
    text: 'for (const { message } of this.#held) message.letGo();',
    replacement: 'for (const { message } of this.#held.toReversed()) message.letGo();',
  },
  {
    name: 'what is told is not held',
    file: 'delivery/attempt.ts',
    text: 'if (!this.#subscription.outbox) return undefined;',
    replacement: 'if (this.running) return undefined;',
  },
  {
    name: 'a delayed message outlives the bus',
    file: 'delivery/schedule.ts',
    text: 'for (const scheduled of taken) scheduled.cancel();',
    replacement: '',
  },
  {
    name: 'the first of a key lets the next one run beside it',
    file: 'delivery/keyed-order.ts',
    text: 'line.push(item);\n    return false;',
    replacement: 'return true;',
  },
  {
    name: 'the newest of a priority is taken first',
    file: 'mailbox/level.ts',
    text: 'const item = this.#ring.shift() as T | undefined;',
    replacement: 'const item = this.removeWhere((one) => one === this.toArray().at(-1))[0];',
  },
  {
    name: 'a listener that throws keeps the others from hearing',
    file: 'kernel/events.ts',
    text: 'const guarded: Guarded = (...args) => this.#call(name, listener, args);',
    replacement: 'const guarded: Guarded = (...args) => void listener(...(args as never));',
  },
  {
    name: 'who has begun is not stopped by who interrupts it',
    file: 'delivery/busy-door.ts',
    text: 'current?.worker.interrupt(current, reason);',
    replacement: 'current?.fence();',
  },
  {
    name: 'a handler that interrupts itself ends twice',
    file: 'delivery/worker.ts',
    text: 'else if (!attempt.fenced) this.#ended(attempt, undefined, result);',
    replacement: 'else this.#ended(attempt, undefined, result);',
  },
  {
    name: 'what is superseded outside never hears that it has no place',
    file: 'delivery/busy-door.ts',
    text: "if (waited) one.admission.placed(new CancelledError(one.message.topic, 'superseded'));",
    replacement: '',
  },
  {
    name: 'what is read while it waits behind its key passes the key on',
    file: 'delivery/steered.ts',
    text: 'one.key = undefined;',
    replacement: '',
  },
  {
    name: 'what is read keeps its place',
    file: 'delivery/steered.ts',
    text: 'home.mailbox.held--;',
    replacement: '',
  },
  {
    name: 'the place of what is interrupted is given away twice',
    file: 'delivery/busy-door.ts',
    text: 'if (placed) enter(delivery);\n    else placed = this.#parts.place(delivery);',
    replacement: 'enter(delivery);\n    placed = true;',
  },
];
