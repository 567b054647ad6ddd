// 41 Tools of agents: what agents serve becomes the tools of a model, whichever SDK it comes with.
import { type Agent, defineContract, MessageBus } from 'tellask';
import { AgentRegistry, callTool, type Tool, toolsOf } from 'tellask/agents';
import { z } from 'zod';

const contract = defineContract({
  requests: {
    'weather.now': { input: z.object({ city: z.string() }), output: z.string() },
    'math.sum': { input: z.array(z.number()), output: z.number() },
    'admin.reset': { input: z.object({}), output: z.boolean() },
    'trip.plan': { input: z.string(), output: z.string() },
  },
});
const bus = new MessageBus({ contract });
const registry = new AgentRegistry(bus);
const capabilities = [{ id: 'weather.now', description: 'The weather in a city' }];
const station = registry.register({ name: 'station', capabilities });
station.serve('weather.now', ({ payload }) => {
  if (payload.city === 'Atlantis') throw new Error('no station down there');
  return `sunny in ${payload.city}`;
});
bus.register('adder').serve('math.sum', ({ payload }) => payload.reduce((a, b) => a + b, 0));
bus.register('admin').serve('admin.reset', () => true);
// What a model would say, one call after the other: names and arguments, as it writes them.
const SAID = [
  ['weather_now', '{"city":"Rome"}'],
  ['math_sum', '{"input":[20,3]}'],
  ['math_sum', '{"input":["twenty"]}'],
  ['weather_now', '{"city":"Atlantis"}'],
  ['wether_now', '{"city":"Rome"}'],
  ['admin_reset', '{}'],
] as const;

// It is offered what it needs and no more; a call outside of that is an unknown tool.
const offered = { registry, topic: '{weather,math}.*' };

function makePlanner(agent: Agent<typeof contract>): void {
  agent.serve('trip.plan', async (_request, context) => {
    for (const tool of toolsOf(context, offered)) console.log(forModel(tool));
    for (const [name, json] of SAID) {
      console.log(`${name} ${json}`);
      const result = await callTool(context, name, json, offered);
      console.log(
        '  ',
        result.ok ? result.content : `${result.error.code}: ${result.error.message}`,
      );
    }
    return 'planned';
  });
}

/** Every SDK has its own spelling of the same three things. */
const forModel = ({ name, description, inputSchema }: Tool): string =>
  JSON.stringify({ type: 'function', name, description, parameters: inputSchema });
makePlanner(bus.register('planner'));
console.log(await bus.request('trip.plan', 'Rome'));
await bus.close();
