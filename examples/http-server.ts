import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { isTellaskError, type Message, type MessageBus } from 'tellask';
import type { AgentCard, AgentRegistry, NewTask, TaskBoard } from 'tellask/agents';

/** What a server is put in front of. */
interface Behind {
  readonly bus: MessageBus;
  readonly registry: AgentRegistry;
  readonly board: TaskBoard;
  /** Makes an agent of a card; who is behind the wire is the program's. */
  employ(card: AgentCard): string;
  dismiss(name: string): unknown;
}

type Routes = Record<string, (name: string, body: unknown) => unknown>;

/** Each is one method: what comes in is checked by the library, and refused with a code. */
const routesTo = ({ bus, registry, board, ...staff }: Behind): Routes => ({
  'GET agents': () => registry.list().map(({ name, capabilities: [one] }) => `${name}: ${one?.id}`),
  'POST agents': (_, card) => staff.employ(card as AgentCard),
  'DELETE agents': (name) => staff.dismiss(name),
  'POST messages': (topic, payload) => bus.publish(topic, payload).settled,
  'POST requests': (topic, input) => bus.request(topic, input, { timeoutMs: 1_000 }),
  'POST tasks': (_, task) => board.create(task as NewTask).id,
  'GET tasks': (id) => board.get(id)?.result,
  'PUT memory': (key, value) => bus.state.set(`memory.${key}`, value).version,
  'GET memory': (key) => bus.state.get(`memory.${key}`)?.value,
});

/** What a WebSocket would be told, as server-sent events: three subscriptions. */
function follow(bus: MessageBus, request: IncomingMessage, response: ServerResponse): void {
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

/** Listens on a free port of this machine. */
export async function serveOver(behind: Behind): Promise<Server> {
  const routes = routesTo(behind);
  const server = createServer(async (request, response) => {
    const [, kind = '', name = ''] = decodeURI(request.url ?? '').split('/');
    if (kind === 'events') return follow(behind.bus, request, response);
    try {
      const route = routes[`${request.method} ${kind}`];
      const body = request.headers['content-length'] ? await json(request) : undefined;
      const result = await route?.(name, body);
      response.writeHead(route ? 200 : 404).end(JSON.stringify(result ?? null));
    } catch (error) {
      const code = isTellaskError(error) ? error.code : 'BAD_REQUEST';
      response.writeHead(400).end(JSON.stringify(code));
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}
