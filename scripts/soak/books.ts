import type { MessageBus } from 'tellask';

/** What the bus says about itself. */
type Books = ReturnType<MessageBus['inspect']>;

const openStates = ['waiting', 'queued', 'inFlight', 'deferred', 'retryWait'] as const;
const outcomes = ['handled', 'deadLettered', 'expired', 'cancelled'] as const;

/** The conservation equation, which holds at any instant outside a library call. */
export function conservationFault(books: Books): string | undefined {
  const counted = [...openStates, ...outcomes].reduce((sum, state) => sum + books[state], 0);
  return counted === books.admitted
    ? undefined
    : `${books.admitted} deliveries admitted, ${counted} accounted for`;
}

/** What is left on a bus that has been drained. */
export function idleFaults(books: Books): string[] {
  return [...openStates, 'scheduled' as const]
    .filter((state) => books[state] !== 0)
    .map((state) => `${books[state]} ${state} after drain`);
}
