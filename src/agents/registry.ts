import { nearestOf } from '../message/edit-distance.ts';
import type { AgentRecord } from './agent-record.ts';

/** Who is registered now. */
export class Registry {
  readonly #records = new Map<string, AgentRecord>();

  get size(): number {
    return this.#records.size;
  }

  get(name: string): AgentRecord | undefined {
    return this.#records.get(name);
  }

  add(record: AgentRecord): void {
    this.#records.set(record.name, record);
  }

  /** A registration that has left already takes nobody else with it. */
  remove(record: AgentRecord): boolean {
    return this.#records.get(record.name) === record && this.#records.delete(record.name);
  }

  all(): AgentRecord[] {
    return [...this.#records.values()];
  }

  withCapability(capability: string): AgentRecord[] {
    return this.all().filter((record) => record.capabilities.has(capability));
  }

  /** The name that a mistyped one may have meant. */
  nearest(name: string): string | undefined {
    return nearestOf(name, this.#records.keys());
  }
}
