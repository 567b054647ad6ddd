// 38 Discovery and failover: agents are found by what they can do, and who is not well is not asked.
import { type Agent, MessageBus } from 'tellask';
import { AgentRegistry, leastBusy } from 'tellask/agents';

const bus = new MessageBus();
const registry = new AgentRegistry(bus);

function makeTranslator(agent: Agent): void {
  agent.serve('translate', (request) => `${agent.name}: ${String(request.payload)}`);
}

// A card says what an agent is and can do; it is checked, and goes when its agent leaves.
const capabilities = [{ id: 'translate', description: 'English to French', tags: ['french'] }];
const frida = registry.register({ name: 'frida', version: '1.4.0', capabilities });
const fritz = registry.register({ name: 'fritz', version: '2.0.0', capabilities });
for (const agent of [frida, fritz]) makeTranslator(agent);
registry.register({ name: 'clerk', capabilities: [{ id: 'file' }] });

const french = (): string[] => registry.find({ tag: 'french' }).map(({ name }) => name);
console.log('french:', french());
const where = ({ version }: { version: string }): boolean => version.startsWith('2.');
console.log(
  'new:',
  registry.find({ capability: 'translate', where }).map(({ name }) => name),
);

// Frida's model is down. A probe finds out; the bus tells of it, and the strategy asks her no more.
let up = false;
registry.probe(frida.name, () => up, { everyMs: 5, failures: 2 });
const { payload: told } = await bus.once('$bus.agent.unhealthy', { timeoutMs: 5_000 });
console.log('unhealthy:', told);

const select = leastBusy({ healthy: (agent) => registry.isHealthy(agent) });
const ask = (text: string): Promise<unknown> => bus.request('translate', text, { select });
console.log(await ask('tea'), '|', await ask('two teas'));
for (const { agent, note } of bus.explain('translate', { select }).candidates) {
  console.log(`  ${agent}: ${note}`);
}

up = true;
await bus.once('$bus.agent.recovered', { timeoutMs: 5_000 });
console.log('recovered:', registry.presence('frida').status);

// Who leaves before he has answered fails his asker at once: the next in line takes over.
const poem = bus.request('translate', 'a poem', { to: 'fritz', fallback: ['frida'] });
await fritz.leave();
console.log(await poem);
console.log('french:', french(), '- fritz is', registry.presence('fritz').status);
await bus.close();
