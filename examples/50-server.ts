// 50 A server in front: agents, messages, tasks and memory over HTTP, and what happens as events.
import type { AddressInfo } from 'node:net';
import { type Agent, MessageBus, StateManager } from 'tellask';
import { type AgentCard, AgentRegistry, TaskBoard } from 'tellask/agents';
import { serveOver } from './http-server.ts';

const bus = new MessageBus({ state: new StateManager() });
const [registry, board] = [new AgentRegistry(bus), new TaskBoard(bus)];
const agents = new Map<string, Agent>();

function employ(card: AgentCard): string {
  const agent = registry.register(card);
  agents.set(agent.name, agent);
  agent.serve('greet', ({ payload }) => `${agent.name} greets ${payload}`);
  board.work(agent, ({ title }) => `${title}, by ${agent.name}`);
  return agent.name;
}

const dismiss = (name: string) => agents.get(name)?.leave();
const server = await serveOver({ bus, registry, board, employ, dismiss });

// What a client says, in any language.
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
async function call(method: string, path: string, body?: unknown): Promise<void> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${url}/${path}`, { method, ...sent });
  console.log(`${method} ${path}: ${response.status} ${await response.text()}`);
}

const events = await fetch(`${url}/events`);
await call('POST', 'agents', { name: 'ann', capabilities: [{ id: 'write' }] });
await call('POST', 'agents', { name: 'ann' });
await call('GET', 'agents');
await call('POST', 'requests/greet', 'Grace');
await call('POST', 'messages/news.tea', { price: 3 });
await call('POST', 'tasks', { id: 'draft', title: 'A draft' });
await board.ended('draft');
await call('GET', 'tasks/draft');
await call('PUT', 'memory/topic', 'tea');
await call('GET', 'memory/topic');
await call('DELETE', 'agents/ann');
await call('GET', 'nothing');
await bus.drain();

let told = '';
for await (const part of events.body?.pipeThrough(new TextDecoderStream()) ?? []) {
  told += part;
  if (told.includes('agent.left')) break;
}
console.log(`told: ${told.replaceAll('event: ', '').trim().split(/\n+/).join(', ')}`);
await bus.close();
server.close().closeAllConnections();
