/**
 * Every code of the library, with whether the same call may succeed later and what to do about it.
 * A code is never renamed and never reused; `docs/errors.md` has an entry for each.
 */
export const ERROR_CODES = {
  TELLASK_CLOSED: [
    false,
    'Make a new bus. While it drains, only the context of a running delivery may speak.',
  ],
  TELLASK_INVALID_TOPIC: [
    false,
    "Segments joined by dots, without blanks and * ? [ ] { } ( ) \\ > ! | /. Build one from data with topic('report.{id}.drafted', { id }).",
  ],
  TELLASK_INVALID_PATTERN: [
    false,
    'Use * for one segment, ** for any number of segments, {a,b} for alternatives and {name} for one named segment.',
  ],
  TELLASK_INVALID_NAME: [
    false,
    'One segment of at most 128 characters, in one script, without blanks, dots and globs.',
  ],
  TELLASK_NAME_TAKEN: [false, 'Let the other agent leave first, or choose another name.'],
  TELLASK_UNKNOWN_TOPIC: [false, 'Add the topic to the contract, or set open: true on the bus.'],
  TELLASK_UNKNOWN_RECIPIENT: [true, 'Register the agent first, or publish instead of send.'],
  TELLASK_VALIDATION: [false, 'The issues name the paths; the values are left out on purpose.'],
  TELLASK_PAYLOAD: [
    false,
    "Payloads are data: no accessors, at most 100 levels deep. Pass an id instead of a live object, or set isolation: 'share'.",
  ],
  TELLASK_DENIED: [
    false,
    'bus.permissions.explain and state.access.explain say which rule decides; a restricted handle may do only what it was restricted to, and an outgoing middleware has to call next().',
  ],
  TELLASK_REVOKED: [
    false,
    'A handle belongs to one registration: register again to get a new one.',
  ],
  TELLASK_RESTART: [
    true,
    'The agent has asked to begin anew: register it with start, and give the handler retry if the message is to meet the new life.',
  ],
  TELLASK_RESTARTED: [true, 'Ask again: the agent begins anew with fresh state.'],
  TELLASK_PLUGIN_GONE: [
    false,
    'Use the host of a plugin between install and uninstall, and end there what goes on by itself.',
  ],
  TELLASK_MAILBOX_FULL: [
    true,
    "Raise capacity or concurrency, choose overflow: 'wait' and await receipt.accepted, or send less.",
  ],
  TELLASK_BUSY: [
    true,
    "Ask again when it is done, or let it queue: busy: 'reject' was chosen by whoever subscribed.",
  ],
  TELLASK_NO_RESPONDER: [true, 'Start the responder first, or check the spelling.'],
  TELLASK_TIMEOUT: [true, 'The message says where the request was last seen.'],
  TELLASK_HANDLER_TIMEOUT: [
    true,
    'Pass context.signal on to what the handler waits for, or raise timeoutMs.',
  ],
  TELLASK_RESPONDER_LEFT: [true, 'Ask again: another agent may serve the topic.'],
  TELLASK_DEAD_LETTERED: [
    false,
    'Its reason is a field of this error; bus.deadLetters has the letter, and redrive() tries it again.',
  ],
  TELLASK_CANCELLED: [false, 'Somebody withdrew the request before it was answered.'],
  TELLASK_HANDLER_ERROR: [false, 'The cause is what the handler threw.'],
  TELLASK_REJECTED: [
    false,
    'The handler refused the message for good. Mend the message, then redrive its letter.',
  ],
  TELLASK_INTERRUPTED: [
    false,
    'A newer message is handled instead: stop when context.signal aborts, and keep nothing half done.',
  ],
  TELLASK_BATCH_RESULT: [
    true,
    'Return one entry for each message of the batch, in their order: an output, or an Error for what failed.',
  ],
  TELLASK_BUDGET: [
    false,
    'Give the ask at the top a larger budget, or serve with wrapUp to get what was done so far.',
  ],
  TELLASK_FENCED: [false, 'The delivery is over for its handler: stop when context.signal aborts.'],
  TELLASK_LOOP: [
    false,
    'Let one of them stop answering, give the conversation an end of its own, or raise the bound with guard.',
  ],
  TELLASK_DEADLOCK: [
    false,
    'Give one of them more concurrency, send instead of asking, or ask with detached: true if nobody waits.',
  ],
  TELLASK_RATE_LIMITED: [true, 'Wait for retryAfterMs, or say less.'],
  TELLASK_POLICY_TIMEOUT: [
    true,
    'Pass the signal on to what the call waits for, or raise timeoutMs of the policy.',
  ],
  TELLASK_CIRCUIT_OPEN: [
    false,
    'Do without what is behind it, or call again after retryAfterMs: the cause is its last failure.',
  ],
  TELLASK_LETTER_STORE: [
    true,
    'Look at the cause; the letters are in memory, and are saved when the store works again.',
  ],
  TELLASK_STORE_CONFLICT: [
    false,
    'Somebody else wrote the key: read it again, decide again, and commit with the version read.',
  ],
  TELLASK_STORE_CLOSED: [false, 'Close a store when all that uses it has ended.'],
  TELLASK_STORE_FORGOTTEN: [
    false,
    'Scan what is there now, and read on from oldestRevision - 1; or keep more commits.',
  ],
  TELLASK_STORE_FULL: [true, 'Delete what is done with, or raise maxKeys.'],
  TELLASK_STATE_VALUE: [
    false,
    'Values are JSON: null, booleans, finite numbers, strings, arrays and plain objects of them.',
  ],
  TELLASK_UNKNOWN_STATE_KEY: [
    false,
    'Add the key to the state of the contract, or set open: true on the StateManager.',
  ],
  TELLASK_STATE_EXISTS: [false, 'Use set or update for what may be there already.'],
  TELLASK_STATE_NOT_FOUND: [false, 'Create it first, or give update an initial value.'],
  TELLASK_STATE_VERSION: [
    false,
    'Ask for a version from oldest to newest, or keep more with history.maxVersions.',
  ],
  TELLASK_STATE_TIMEOUT: [
    true,
    'Await less inside of the transaction, give it more timeoutMs, or pass tx.signal on.',
  ],
  TELLASK_LOCK_TIMEOUT: [true, 'Try again later, wait longer with timeoutMs, or hold it shorter.'],
  TELLASK_LOCK_LOST: [
    true,
    'Ask for the lock again and begin anew; lock.extend() in time, or a longer leaseMs, keeps it.',
  ],
  TELLASK_LOCK_DEADLOCK: [
    true,
    'Let go of what you hold and begin anew, or take all locks at once with lockAll.',
  ],
  TELLASK_STATE_NOT_DURABLE: [
    true,
    'Read what is there now and write again. The cause says what is wrong with the store.',
  ],
  TELLASK_STATE_SNAPSHOT: [
    false,
    'Restore one that is whole, as snapshot gave it, with the key that it was signed with.',
  ],
  TELLASK_STATE_STORED: [
    false,
    'Something else has written under the prefix: give the state one of its own, or repair it.',
  ],
  TELLASK_STATE_STALLED: [
    true,
    'Look what keeps the store; nothing that waits for it is safe yet.',
  ],
  TELLASK_DECISION: [
    true,
    'Answer { assign: { name: task } } with names of participants, or { goalReached: true, value }.',
  ],
  TELLASK_STATE_CONFLICT: [
    true,
    'Read again and decide anew, use update, or say with onConflict what is to happen.',
  ],
  TELLASK_STATE_STAGE: [
    false,
    'Stages are done in their order, one at a time; look at the workflow first.',
  ],
  TELLASK_STATE_CLOSED: [false, 'Close the state when all that writes and watches has ended.'],
  TELLASK_STATE_GAP: [
    false,
    'Begin with what is there (initial: true) or at oldestRevision; or keep more: history.maxVersions.',
  ],
  TELLASK_STATE_OVERFLOW: [
    true,
    'Watch again with fromRevision: error.resumeFrom; or raise buffer, or set latest: true.',
  ],
  TELLASK_BULKHEAD_FULL: [
    true,
    'Call again later, raise limit, or let calls wait with queue: as many as you can afford.',
  ],
  TELLASK_UNHANDLED: [
    false,
    'Add a last link to the chain that handles whatever the others decline.',
  ],
  TELLASK_WORKFLOW: [
    true,
    "Its fields tell what succeeded, what failed and what was called off; mode: 'settle' gives the same without an error.",
  ],
  TELLASK_FALLBACK: [true, 'The errors say why the work and each alternative failed, in order.'],
  TELLASK_SAGA_RUNNING: [
    true,
    'Wait for retryAfterMs: whoever works on it may end it, or fall silent. If you know that he is gone, resume with takeOver: true.',
  ],
  TELLASK_SAGA_NOT_FOUND: [false, 'Begin it with run, or check the id and the store.'],
  TELLASK_SAGA_CHANGED: [
    false,
    'Resume it with the definition it was begun with, and give a changed one another name.',
  ],
  TELLASK_SAGA_INPUT: [
    false,
    'Take a new id for another input; an id belongs to one piece of work.',
  ],
  TELLASK_SAGA_DATA: [
    false,
    'Inputs and results are JSON: null, booleans, finite numbers, strings, arrays and plain objects of them.',
  ],
  TELLASK_SAGA_LEASE_LOST: [
    false,
    'Nothing to do: another goes on with it. If that happens often, raise leaseMs.',
  ],
  TELLASK_SAGA_STOPPED: [true, 'The cause says why. Resume it: it goes on from what was saved.'],
  TELLASK_SAGA_STEP_TIMEOUT: [true, 'Pass context.signal on, or raise timeoutMs of the step.'],
  TELLASK_SAGA_STEP_ABORTED: [false, 'Look at the step that failed.'],
  TELLASK_SAGA_STEP_ABANDONED: [
    false,
    'Pass context.signal on to whatever the step waits for, and look by hand whether its effect stands.',
  ],
  TELLASK_TASK_NOT_FOUND: [false, 'Look at board.list(): it may have been removed.'],
  TELLASK_TASK_STATE: [
    false,
    'Look at the status first: a task that has ended never changes. Create a new one instead.',
  ],
  TELLASK_TASK_CYCLE: [false, 'Take one of the dependencies away: the fields name the circle.'],
  TELLASK_TASK_FENCED: [
    false,
    'Stop: somebody else does it, or nobody needs it. Tell progress in time, or raise leaseMs.',
  ],
  TELLASK_TASK_NO_AGENT: [
    true,
    'Let an agent with the capability work for the board first, or look at the requirements.',
  ],
  TELLASK_INJECTED_FAULT: [
    true,
    'Nothing failed but the test: t.faults.injected says what, and the faults of the test bus why.',
  ],
  TELLASK_EXPLORE_FAILED: [
    false,
    'Run the test again with the TELLASK_SEED of the report: it fails in the same way every time.',
  ],
  TELLASK_SCENARIO_STUCK: [
    false,
    'Await what the bus does; what comes from outside of it has to be brought by the scenario itself.',
  ],
  TELLASK_NONDETERMINISTIC: [
    false,
    'Make everything anew in each call of the scenario, wait for nothing but the bus, and take time and chance from the test bus.',
  ],
  TELLASK_NEVER_REACHED: [
    false,
    'Try more seeds, or look whether the condition of sometimes can be true at all.',
  ],
  TELLASK_EXPECTATION: [
    false,
    'The message says what was there instead; t.transcript() says how it came to that.',
  ],
  TELLASK_INVARIANT: [false, 'This is a fault of the library: report it with the seed.'],
  TELLASK_STANDSTILL: [
    false,
    'Let one of them answer, or give it a time-out; what waits for the outside belongs in external().',
  ],
  TELLASK_LIVELOCK: [false, 'Give what goes round an end: the busiest are named.'],
  TELLASK_CONTEXT_LOST: [
    false,
    'Say it on the context of the handler, or with detached: true where a new conversation is meant.',
  ],
  TELLASK_LEFT_OVER: [
    false,
    "Let it end before the test does, mark what is outside with external(), or set leaks: 'allow'.",
  ],
  TELLASK_SCRIPT: [
    false,
    'The message says which step it was and what came instead; t.transcript() how it came to that.',
  ],
  TELLASK_UNKNOWN_TOOL: [false, 'Call one of the tools that were offered, by its exact name.'],
  TELLASK_TOOL_INPUT: [false, "Send one JSON object that fits the tool's inputSchema."],
} as const;

/** One of the stable codes of {@link TellaskError}. */
export type ErrorCode = keyof typeof ERROR_CODES;
