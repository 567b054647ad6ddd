import type { MessageBus } from '../bus.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import {
  type CollaborationOptions,
  checkOptions,
  type PipelineOptions,
  type RoundRobinOptions,
  type SupervisorOptions,
} from './options.ts';
import { pipelinePlan, roundRobinPlan, supervisorPlan } from './plan.ts';
import type { ActiveCollaboration, Collaborated, CollaborationKind } from './result.ts';
import { readSeats, refuseTwins, Seat } from './seat.ts';
import { Session, type SessionTerms } from './session.ts';

const ROUNDS = 10;

/**
 * Lets agents work on one thing together: in turn, under a supervisor, or one after the other. Each
 * turn is an ordinary request, whose payload is a `Turn`: the goal, and what the others have said.
 *
 * All templates resolve, however it ends, with an `ending` and with what there is; they reject only
 * with TypeError and RangeError for options that make no sense. Who answers `undefined` passes; who
 * throws, hangs or has left has a failed turn, which `onFailure` skips or makes the end, unless the
 * seat has a `capability`: then another agent that has it is asked, and keeps the seat.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { byVote, Collaborations, type Turn } from 'tellask/agents';
 * const bus = new MessageBus();
 * const collaborations = new Collaborations(bus);
 * for (const [name, drink] of [['ann', 'tea'], ['bob', 'milk'], ['cat', 'tea']] as const) {
 *   bus.register(name).serve('drink.choose', () => drink);
 * }
 * const { ending, value } = await collaborations.roundRobin({
 *   topic: 'drink.choose',
 *   participants: ['ann', 'bob', 'cat'],
 *   rounds: 1,
 *   resolve: byVote(),
 * });
 * [ending, value]; // => ['rounds', 'tea']
 * ```
 */
export class Collaborations<C extends ContractShape = AnyContract> {
  readonly #bus: MessageBus<C>;
  readonly #active = new Set<Session>();
  #count = 0;

  constructor(bus: MessageBus<C>) {
    this.#bus = bus;
  }

  /** Those that go on, the oldest first. */
  active(): readonly ActiveCollaboration[] {
    return [...this.#active].map((session) => session.view());
  }

  /**
   * Everybody has a turn, round after round, until one answers `{ goalReached: true, value }`, or
   * `until` is satisfied, or all rounds are held, or a round in which everybody passes.
   */
  async roundRobin(options: RoundRobinOptions): Promise<Collaborated> {
    checkOptions('roundRobin', options);
    const { topic, participants, rounds = ROUNDS, onFailure = 'skip' } = options;
    const seats = readSeats(participants, topic, 1);
    const session = this.#open('round-robin', { options: { ...options, onFailure }, seats });
    return session.run(roundRobinPlan(seats, rounds));
  }

  /**
   * In each round the supervisor answers `{ assign: { ann: task, bob: task } }`, and they work at
   * the same time; or `{ goalReached: true, value }`, which is the end. What is no decision is told
   * to it in the next round as a failed turn, with DecisionError `TELLASK_DECISION`.
   */
  async supervisor(options: SupervisorOptions): Promise<Collaborated> {
    checkOptions('supervisor', options);
    const { topic, participants, rounds = ROUNDS, onFailure = 'skip' } = options;
    const seats = readSeats(participants, topic, 1);
    const lead = new Seat(options.supervisor, topic);
    refuseTwins([lead, ...seats]);
    const session = this.#open('supervisor', { options: { ...options, onFailure }, seats, lead });
    const plan = supervisorPlan(lead, seats, rounds, (round, error) =>
      session.refuse(lead.name, round, error),
    );
    return session.run(plan);
  }

  /**
   * What one stage makes is the `task` of the next, and what the last makes is the goal. A stage
   * that answers `{ goalReached: true, value }` is the last.
   */
  async pipeline(options: PipelineOptions): Promise<Collaborated> {
    checkOptions('pipeline', options);
    const { topic, participants, input, onFailure = 'end' } = options;
    const seats = readSeats(participants, topic, 1);
    const session = this.#open('pipeline', { options: { ...options, onFailure }, seats });
    return session.run(pipelinePlan(seats, input));
  }

  #open(
    kind: CollaborationKind,
    terms: Pick<SessionTerms, 'seats' | 'lead'> & {
      readonly options: CollaborationOptions & { readonly onFailure: 'skip' | 'end' };
    },
  ): Session {
    this.#count += 1;
    const session = new Session({
      ...terms,
      id: `${kind}-${this.#count}`,
      kind,
      bus: this.#bus as unknown as MessageBus<never>,
      ended: (one) => this.#active.delete(one),
    });
    this.#active.add(session);
    return session;
  }
}
