/**
 * Every code of the library, with whether the same call may succeed later and what to do about it.
 * A code is never renamed and never reused; `docs/errors.md` has an entry for each.
 */
export const ERROR_CODES = {
  TELLASK_CLOSED: [
    false,
    'The bus was closed or is draining. Make a new bus, or speak through the context of a running delivery, which a drain still admits.',
  ],
  TELLASK_INVALID_TOPIC: [
    false,
    "A topic is 1 to 64 segments joined by dots, without blanks and without * ? [ ] { } ( ) \\ > ! | /. Build one from data with topic('report.{id}.drafted', { id }).",
  ],
  TELLASK_INVALID_PATTERN: [
    false,
    'Use * for one segment, ** for any number of segments, {a,b} for alternatives and {name} for one named segment.',
  ],
  TELLASK_INVALID_NAME: [
    false,
    'An agent name is one segment of at most 128 characters, in one script, without blanks, dots and glob characters.',
  ],
  TELLASK_NAME_TAKEN: [
    false,
    'Names are unique on a bus. Let the other agent leave first, or choose another name.',
  ],
  TELLASK_UNKNOWN_TOPIC: [
    false,
    'The contract does not name this topic. Add it to the contract, or set open: true on the bus.',
  ],
  TELLASK_UNKNOWN_RECIPIENT: [
    true,
    'No agent of this name is registered now. Register it first, or publish instead of send.',
  ],
  TELLASK_VALIDATION: [
    false,
    'The payload does not fit the schema of its topic. The issues name the paths; the values are left out on purpose.',
  ],
  TELLASK_PAYLOAD: [
    false,
    "Payloads are data: no accessors, at most 100 levels deep. Pass an id instead of a live object, or set isolation: 'share'.",
  ],
  TELLASK_DENIED: [
    false,
    'A restricted handle may do only what it was restricted to, and an outgoing middleware has to call next().',
  ],
  TELLASK_REVOKED: [
    false,
    'The handle was revoked or its agent has left. A handle belongs to one registration: register again to get a new one.',
  ],
  TELLASK_MAILBOX_FULL: [
    true,
    "The recipient is slower than its senders. Raise capacity or concurrency, choose overflow: 'wait' and await receipt.accepted, or send less.",
  ],
  TELLASK_NO_RESPONDER: [
    true,
    'Nobody serves this topic now. Start the responder first, or check the spelling.',
  ],
  TELLASK_TIMEOUT: [
    true,
    'No answer came in time. The message says where the request was last seen.',
  ],
  TELLASK_HANDLER_TIMEOUT: [
    true,
    'The handler ran longer than its timeoutMs. Pass context.signal on to what it waits for, or raise timeoutMs.',
  ],
  TELLASK_RESPONDER_LEFT: [
    true,
    'The agent that was asked left before it answered. Ask again: another one may serve the topic.',
  ],
  TELLASK_EXPIRED: [true, 'The message was older than its ttlMs before a handler was free for it.'],
  TELLASK_DEAD_LETTERED: [
    false,
    'The request ended as a dead letter. Its reason is a field of this error; bus.deadLetters has the letter, and redrive() tries it again.',
  ],
  TELLASK_CANCELLED: [false, 'The request was withdrawn before a handler answered it.'],
  TELLASK_HANDLER_ERROR: [
    false,
    'The handler threw something that is not an Error; the cause holds it.',
  ],
  TELLASK_REJECTED: [
    false,
    'The handler refused the message for good. Mend the message, then redrive its letter.',
  ],
  TELLASK_FENCED: [
    false,
    'This delivery is over for its handler: it ran past its time-out, or its agent left. Nothing that it still says is heard.',
  ],
} as const;

/** One of the stable codes of {@link TellaskError}. */
export type ErrorCode = keyof typeof ERROR_CODES;
