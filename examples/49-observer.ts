// 49 Observers: they attach and detach while things go on; who is observed knows none of them.
import { type Agent, MessageBus, type SubscriptionHandle } from 'tellask';

/** Tells what happened, and waits for nobody. */
function makeThermometer(agent: Agent): (celsius: number) => void {
  return (celsius) => {
    const { recipients } = agent.publish('kettle.heated', { celsius }, { retain: true });
    console.log(`${celsius} degrees, heard by ${recipients.join(', ') || 'nobody'}`);
  };
}

type Heated = { readonly celsius: number };

function makeDisplay(agent: Agent): SubscriptionHandle {
  // With `replay` one who attaches later begins with the last value.
  return agent.subscribe(
    'kettle.*',
    ({ payload }, { replayed }) => {
      const { celsius } = payload as Heated;
      console.log(`  ${agent.name} shows ${celsius}${replayed ? ' (as it was)' : ''}`);
    },
    { replay: true },
  );
}

/** Detaches itself when it has seen what it waits for. */
function makeWhistle(agent: Agent): void {
  const attached = agent.subscribe('kettle.heated', ({ payload }) => {
    if ((payload as Heated).celsius < 100) return;
    console.log(`  ${agent.name} whistles and detaches`);
    attached.unsubscribe();
  });
}

const bus = new MessageBus();
const heat = makeThermometer(bus.register('thermometer'));
makeWhistle(bus.register('whistle'));
// One that fails is nobody else's trouble.
bus.register('broken').subscribe('kettle.heated', () => {
  throw new Error('no display');
});

heat(60);
await bus.drain();

const kitchen = makeDisplay(bus.register('kitchen'));
heat(100);
await bus.drain();
kitchen.unsubscribe();
heat(100);
await bus.drain();

console.log(`letters of what failed: ${bus.deadLetters.list().length}`);
console.log(`attached now: ${bus.explain('kettle.heated').recipients.length}`);
await bus.close();
