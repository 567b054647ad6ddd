import type { Attempt } from './attempt.ts';
import type { Recipient } from './delivery.ts';
import type { Asker } from './receipt.ts';
import type { Cause } from './speech.ts';
import { Worker } from './worker.ts';

/** A request that somebody waits for. */
export interface Awaited extends Asker {
  readonly message: { readonly topic: string };
}

/** Who would wait for whom, for ever: each asks the next, and the last asks the first. */
export interface Standstill {
  readonly agents: readonly string[];
  /** What each of them asks. */
  readonly topics: readonly string[];
}

/** The running handler that a call would hold up; what was put off may be answered in other ways. */
export function heldUp(cause: Cause | undefined): Attempt | undefined {
  const attempt = cause as Attempt | undefined;
  return attempt?.running === true ? attempt : undefined;
}

/**
 * Tells whether a request from the handler `asking` to `home` would never be answered, because
 * every slot of `home` is held by a handler that waits, in the end, for `asking`. All that is kept
 * for it is the open requests of each running handler.
 *
 * Graph reduction (Holt, "Some Deadlock Properties of Computer Systems", 1972): whoever can go on
 * is taken out until nobody more can, and who is left stands still. A handler that waits for
 * several requests is taken to need all of them.
 */
export function standstillOf(
  asking: Attempt,
  home: Recipient,
  topic: string,
): Standstill | undefined {
  if (!(home instanceof Worker) || !home.full) return undefined;
  // A copy that was handed over directly needs a record: its asker is found by that.
  void asking.delivery;
  asking.beginsToWait();
  const graph = reachableFrom(home, slotOf(asking));
  while (reduce(graph)) {}
  return graph.workers.has(home) ? nameCycle(graph, home, topic) : undefined;
}

interface Graph {
  readonly asking: Attempt;
  /** Whose slots are all in use. */
  readonly workers: Set<Worker>;
  /** Who waits for a request. */
  readonly attempts: Set<Attempt>;
}

/** Everybody whom `home` may have to wait for. */
function reachableFrom(home: Worker, asking: Attempt): Graph {
  const workers = new Set([home]);
  const attempts = new Set([asking]);
  const open: (Worker | Attempt)[] = [home];
  for (const one of open) {
    for (const next of one instanceof Worker ? slotsOf(one) : awaitedBy(one)) {
      if (next instanceof Worker) {
        if (!next.full || workers.has(next)) continue;
        workers.add(next);
      } else {
        if (waitsOf(next).length === 0 || attempts.has(next)) continue;
        attempts.add(next);
      }
      open.push(next);
    }
  }
  return { asking, workers, attempts };
}

/** Takes out who can go on; true when somebody could. */
function reduce(graph: Graph): boolean {
  const { asking, workers, attempts } = graph;
  const before = workers.size + attempts.size;
  for (const attempt of attempts) {
    // What is being asked just now is not among what it waits for yet.
    if (attempt !== asking && !awaitedBy(attempt).some((next) => stands(graph, next))) {
      attempts.delete(attempt);
    }
  }
  for (const worker of workers) {
    const stuck = slotsOf(worker).filter((slot) => attempts.has(slot));
    if (stuck.length < worker.running) workers.delete(worker);
  }
  return workers.size + attempts.size < before;
}

function stands({ workers, attempts }: Graph, one: Worker | Attempt): boolean {
  return one instanceof Worker ? workers.has(one) : attempts.has(one);
}

/** Whoever stands for the slot: all that is handled in one batch holds one, and waits together. */
function slotOf(attempt: Attempt): Attempt {
  const { batch, worker } = attempt;
  if (batch === undefined || !attempt.running) return attempt;
  return [...worker.askers].find((asker) => asker.batch === batch) ?? attempt;
}

function slotsOf({ askers }: Worker): Attempt[] {
  return [...new Set([...askers].map(slotOf))];
}

function waitsOf(slot: Attempt): readonly Awaited[] {
  const { batch, worker } = slot;
  if (batch === undefined || !slot.running) return [...slot.waits];
  return [...worker.askers]
    .filter((asker) => asker.batch === batch)
    .flatMap(({ waits }) => [...waits]);
}

/** Who has to go on before a handler can. */
function awaitedBy(slot: Attempt): (Worker | Attempt)[] {
  const nexts: (Worker | Attempt)[] = [];
  for (const { delivery } of waitsOf(slot)) {
    const next = delivery === undefined ? undefined : holderOf(delivery);
    if (next !== undefined) nexts.push(next);
  }
  return nexts;
}

/**
 * The handler that works on it or has passed it on, or the worker in whose line it stands; none if
 * time alone decides.
 */
function holderOf({
  state,
  current,
  home,
}: NonNullable<Asker['delivery']>): Worker | Attempt | undefined {
  if (state === 'inFlight') return current && slotOf(current);
  if (state === 'deferred') return current;
  return (state === 'queued' || state === 'waiting') && home instanceof Worker ? home : undefined;
}

interface Step {
  readonly agent: string;
  readonly topic: string;
}

function nameCycle(graph: Graph, home: Worker, topic: string): Standstill {
  const seen = new Set<Worker | Attempt>();
  const last = { agent: graph.asking.agent, topic };
  const steps = wayTo(graph, home, last, seen) ?? [last];
  return { agents: steps.map(({ agent }) => agent), topics: steps.map((step) => step.topic) };
}

/** A way from `one` to who is asking, among those who stand still. */
function wayTo(
  graph: Graph,
  one: Worker | Attempt,
  last: Step,
  seen: Set<Worker | Attempt>,
): Step[] | undefined {
  if (one === graph.asking) return [last];
  if (seen.has(one)) return undefined;
  seen.add(one);
  if (one instanceof Worker) return first(slotsOf(one), (next) => via(next));
  return first(waitsOf(one), ({ delivery, message }) => {
    const next = delivery === undefined ? undefined : holderOf(delivery);
    const rest = next === undefined ? undefined : via(next);
    return rest === undefined ? undefined : [{ agent: one.agent, topic: message.topic }, ...rest];
  });

  function via(next: Worker | Attempt): Step[] | undefined {
    return stands(graph, next) ? wayTo(graph, next, last, seen) : undefined;
  }
}

/** What the first of them gives that gives anything. */
function first<T, R>(all: readonly T[], look: (one: T) => R | undefined): R | undefined {
  for (const one of all) {
    const found = look(one);
    if (found !== undefined) return found;
  }
  return undefined;
}
