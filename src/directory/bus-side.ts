import type { AgentInfo } from '../agents/agent.ts';
import type { AgentRecord } from '../agents/agent-record.ts';
import { type MessageBus, wiringOf } from '../bus.ts';
import type { BusStatus } from '../delivery/admitter.ts';
import type { Env } from '../kernel/env.ts';
import type { ContractShape } from '../message/contract-types.ts';
import type { Wiring } from '../wiring/wiring.ts';

/** What an agent has ended since the bus was made, by name. */
export interface Ended {
  readonly handled: number;
  readonly deadLettered: number;
}

/** What the registry may know of its bus, and say as it. */
export class BusSide {
  readonly #wiring: Wiring;

  constructor(bus: MessageBus<ContractShape>) {
    this.#wiring = wiringOf(bus as never);
  }

  get env(): Env {
    return this.#wiring.env;
  }

  get status(): BusStatus {
    return this.#wiring.status;
  }

  /** The registration that bears the name now. */
  record(name: string): AgentRecord | undefined {
    return this.#wiring.registry.get(name);
  }

  /** The name that a mistyped one may have meant. */
  nearest(name: string): string | undefined {
    return this.#wiring.registry.nearest(name);
  }

  info(record: AgentRecord): AgentInfo {
    return this.#wiring.hosting.info(record);
  }

  /** `undefined` when there are more pairs of agents than the metrics keep apart. */
  endedBy(name: string): Ended | undefined {
    return this.#wiring.metrics.saidTo(name);
  }

  /** Says something on a topic of the library's own, if anybody listens. */
  say(topic: string, notice: unknown): void {
    this.#wiring.admitter.sayOwn(topic, notice, undefined);
  }
}
