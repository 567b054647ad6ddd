// 50 A server in front: agents, messages, tasks and memory over HTTP, and what happens as events.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { type Agent, isTellaskError, type Message, MessageBus, StateManager } from 'tellask';
import { type AgentCard, AgentRegistry, type NewTask, TaskBoard } from 'tellask/agents';

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

/** Each is one method: what comes in is checked by the library, and refused with a code. */
const routes: Record<string, (name: string, body: unknown) => unknown> = {
  'GET agents': () => registry.list().map(({ name, capabilities: [one] }) => `${name}: ${one?.id}`),
  'POST agents': (_, card) => employ(card as AgentCard),
  'DELETE agents': (name) => agents.get(name)?.leave(),
  'POST messages': (topic, payload) => bus.publish(topic, payload).settled,
  'POST requests': (topic, input) => bus.request(topic, input, { timeoutMs: 1_000 }),
  'POST tasks': (_, task) => board.create(task as NewTask).id,
  'GET tasks': (id) => board.get(id)?.result,
  'PUT memory': (key, value) => bus.state.set(`memory.${key}`, value).version,
  'GET memory': (key) => bus.state.get(`memory.${key}`)?.value,
};

/** What a WebSocket would be told, as server-sent events: three subscriptions. */
function follow(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  const tell = (event: string) => response.write(`event: ${event}\n\n`);
  const hear = ({ topic }: Message) => void tell(topic);
  const heard = ['$bus.agent.*', 'task.*.*'].map((pattern) => bus.subscribe(pattern, hear));
  const watch = bus.state.watch('memory.*');
  request.on('close', () => {
    for (const one of heard) one.unsubscribe();
    void watch.return?.();
  });
  void (async () => {
    for await (const { key, version } of watch) tell(`${key} is at version ${version}`);
  })();
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, kind = '', name = ''] = decodeURI(request.url ?? '').split('/');
  if (kind === 'events') return follow(request, response);
  try {
    const route = routes[`${request.method} ${kind}`];
    const body = request.method === 'GET' ? undefined : await json(request).catch(() => undefined);
    const result = await route?.(name, body);
    response.writeHead(route ? 200 : 404).end(JSON.stringify(result ?? null));
  } catch (error) {
    const code = isTellaskError(error) ? error.code : 'BAD_REQUEST';
    response.writeHead(400).end(JSON.stringify(code));
  }
}

const server = createServer((request, response) => void answer(request, response));
server.listen(0, '127.0.0.1');
await once(server, 'listening');

// ---- a client
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
