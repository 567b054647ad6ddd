import type { Agent, MessageBus } from 'tellask';
import { type AgentCard, AgentRegistry } from 'tellask/agents';
import type { Desk } from './desk.ts';

/** Makes a reader of an agent. */
export type MakeReader = (agent: Agent<Desk>) => void;

/** Who came for whom. */
export interface Replaced {
  readonly left: string;
  readonly came: string;
  /** Pages that the one who came was asked for. */
  readonly pages: number;
}

/** What every reader can do: whoever has this on his card is asked, under whatever name. */
const READING = 'extract';

/** Hires readers by their cards, and for each that leaves another one that can do the same. */
export function keepReaders(
  bus: MessageBus<Desk>,
  makers: readonly MakeReader[],
  substitute: MakeReader,
): () => readonly Replaced[] {
  const registry = new AgentRegistry(bus);
  const replaced: { left: string; came: string }[] = [];
  const readers = new Set<string>();
  const hire = (make: MakeReader): string => {
    const agent = registry.register(cardOf(`reader-${readers.size + 1}`));
    readers.add(agent.name);
    make(agent);
    return agent.name;
  };
  for (const make of makers) hire(make);
  bus.events.on('left', (left) => {
    const able = registry.find({ capability: READING }).length;
    if (!readers.has(left) || able >= makers.length || bus.inspect().status !== 'open') return;
    replaced.push({ left, came: hire(substitute) });
  });
  return () => replaced.map((one) => ({ ...one, pages: pagesOf(bus, one.came) }));
}

function pagesOf(bus: MessageBus<Desk>, reader: string): number {
  const asked = bus.metrics().pairs.find(({ label }) => label === `editor → ${reader}`);
  return asked?.handled ?? 0;
}

function cardOf(name: string): AgentCard {
  return {
    name,
    type: 'reader',
    version: '1.0.0',
    description: 'Reads a page and takes its links, headings and code out',
    capabilities: [{ id: READING, description: 'Reads a page', tags: ['markdown'] }],
  };
}
