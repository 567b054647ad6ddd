import type { ServedView } from '../delivery/served.ts';
import type { Contract } from '../message/contract.ts';
import { compilePattern, type Pattern } from '../message/pattern.ts';
import type { StandardSchema } from '../message/standard-schema.ts';
import type { JsonSchema, RegisteredCapability, RegisteredCard } from './card.ts';

/** Whoever knows cards, as {@link AgentRegistry} does. */
export interface CardHolder {
  /** The card of an agent that is there. */
  card(name: string): RegisteredCard | undefined;
}

/** Which of what agents serve is meant. All of what is given has to fit. */
export interface ToolFilter {
  /** Only what this agent serves; the call goes to it. */
  readonly agent?: string;
  /** Only what agents with this capability serve; the call goes to one of them. */
  readonly capability?: string;
  /** Only topics that this pattern matches: offer a model no more than it needs. */
  readonly topic?: string;
  /** Cards, for descriptions and for schemas that no contract has. */
  readonly registry?: CardHolder;
}

/** One thing that can be asked for. */
export interface Offer {
  /** A topic, or a template such as `doc.{id}.get`. */
  readonly topic: string;
  /** The names in the braces of a template. */
  readonly params: readonly string[];
  readonly description: string;
  readonly input: StandardSchema | JsonSchema | undefined;
  readonly output: StandardSchema | JsonSchema | undefined;
  /** The bus checks the input by itself. */
  readonly checked: boolean;
}

const PARAM = /^\{([A-Za-z_]\w*)\}$/;

/** What somebody can ask for, by topic, in the order of the topics. */
export function offersOf(view: ServedView, filter: ToolFilter): Offer[] {
  const { registry } = filter;
  const wanted = filter.topic === undefined ? undefined : compilePattern(filter.topic);
  const servers = new Map<string, string[]>();
  for (const { agent, pattern } of view.all(filter)) {
    for (const topic of topicsOf(pattern, view.contract)) {
      if (topic.startsWith('$') || wanted?.matches(sampleOf(topic)) === false) continue;
      const others = servers.get(topic);
      if (others === undefined) servers.set(topic, [agent]);
      else others.push(agent);
    }
  }
  return [...servers]
    .filter(([topic]) => view.mayAsk(sampleOf(topic)))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([topic, agents]) => offerOf(topic, agents, view.contract, registry));
}

function offerOf(
  topic: string,
  agents: readonly string[],
  contract: Contract | undefined,
  registry: ToolFilter['registry'],
): Offer {
  const known = contract?.family('requests', sampleOf(topic));
  const capability = agents.map((name) => capabilityFor(topic, registry?.card(name))).find(Boolean);
  return {
    topic,
    params: paramsIn(topic),
    description: capability?.description || `Asks ${agents.slice(0, 3).join(', ')}: ${topic}`,
    input: known?.input ?? capability?.input,
    output: known?.output ?? capability?.output,
    checked: known !== undefined,
  };
}

function capabilityFor(
  topic: string,
  card: RegisteredCard | undefined,
): RegisteredCapability | undefined {
  return card?.capabilities.find((capability) => (capability.topic ?? capability.id) === topic);
}

/** What can be called of what is served: topics, templates, and what of a contract a glob takes. */
function topicsOf(
  { source, literal, topics, globs }: Pattern,
  contract: Contract | undefined,
): string[] {
  if (literal !== undefined) return [literal];
  if (globs.length === 0) return [...topics];
  if (
    source.split('.').every((segment) => PARAM.test(segment) || !/[*?[\]{}()!\\]/.test(segment))
  ) {
    return [source];
  }
  const pattern = compilePattern(source);
  const keys = Object.keys(contract?.requests ?? {});
  return keys.filter((key) => pattern.matches(sampleOf(key)));
}

function paramsIn(topic: string): string[] {
  return topic.split('.').flatMap((segment) => PARAM.exec(segment)?.[1] ?? []);
}

/** A topic of the template; a topic is its own. */
function sampleOf(topic: string): string {
  if (!topic.includes('{')) return topic;
  return topic
    .split('.')
    .map((segment) => (PARAM.test(segment) ? 'x' : segment))
    .join('.');
}
