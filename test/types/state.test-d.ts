import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  type Agent,
  type Context,
  defineContract,
  documents,
  MessageBus,
  StateManager,
  type StateView,
  workflows,
} from '../../src/index.ts';

const Doc = z.object({ text: z.string(), tags: z.array(z.string()).default([]) });
const contract = defineContract({
  topics: { due: z.string() },
  state: { 'doc.{id}': Doc, count: z.number() },
});
type Parsed = { text: string; tags: string[] };
const bus = new MessageBus({ contract, state: new StateManager() });
const agent = bus.register('writer');

test('the state of a bus, an agent and a context has the keys of the contract', () => {
  expectTypeOf(bus.state.get('doc.7')?.value).toEqualTypeOf<Parsed | undefined>();
  expectTypeOf(agent.state.set('count', 1).value).toEqualTypeOf<number>();
  expectTypeOf(agent.state).toEqualTypeOf<StateView<typeof contract>>();
  expectTypeOf<Context<typeof contract>['state']>().toEqualTypeOf<StateView<typeof contract>>();
  agent.state.update('doc.7', (doc) => {
    expectTypeOf(doc).toEqualTypeOf<Parsed>();
    return { text: doc.text };
  });
  // @ts-expect-error text is missing
  agent.state.create('doc.7', {});
  // @ts-expect-error no such key
  agent.state.get('dok.7');
  // @ts-expect-error the bus has its state for good
  bus.state = new StateManager();
});

test('a bus whose contract has no state, or that has no contract, leaves it open', () => {
  const topics = defineContract({ topics: { due: z.string() } });
  const open = new MessageBus({ contract: topics, state: new StateManager() });
  expectTypeOf(open.state.get('anything')?.value).toEqualTypeOf<unknown>();
  expectTypeOf(new MessageBus().register('a').state).toEqualTypeOf<StateView>();
});

test('a state with a contract fits the bus of the same contract, and one without', () => {
  new MessageBus({ contract, state: new StateManager({ contract }) });
  new MessageBus({ state: new StateManager({ contract }) });
  // @ts-expect-error no state
  new MessageBus({ state: new Map() });
});

test('documents and workflows take a view of any contract', () => {
  const typed = agent as Agent<typeof contract>;
  expectTypeOf(documents(typed.state).getDocument('7')?.value.content).toEqualTypeOf<
    string | null | undefined
  >();
  documents<{ html: string }>(bus.state).updateContent('7', { html: '' });
  const flow = workflows<'draft' | 'review'>(new StateManager().as('writer'));
  flow.startStage('7', 'draft');
  // @ts-expect-error no such stage
  flow.startStage('7', 'print');
  // @ts-expect-error the score is missing
  flow.completeStage('7', 'draft', {});
});
