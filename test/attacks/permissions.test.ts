// R:E5 F:L2
import { describe, expect, it } from 'vitest';
import {
  type Agent,
  type Context,
  chain,
  type PermissionOptions,
  parallel,
  StateManager,
  saga,
} from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { outcomeOf } from '../flow/books.ts';

/** The intern may do everything that is open, and nothing that is secret. */
const PERMISSIONS: PermissionOptions = {
  default: 'deny',
  rules: [
    { effect: 'allow', agents: ['boss', 'peer'] },
    { effect: 'allow', agents: 'intern', on: ['open.**', 'open'] },
  ],
};

function scene(permissions = PERMISSIONS) {
  const t = createTestBus({
    unheard: 'count',
    lostContext: 'allow',
    leaks: 'allow',
    permissions,
    state: new StateManager(),
  });
  const boss = t.bus.register('boss');
  const peer = t.bus.register('peer');
  const intern = t.bus.register('intern', { concurrency: 4 });
  const heard: string[] = [];
  const hear = ({ topic }: { topic: string }): void => void heard.push(topic);
  return { t, boss, peer, intern, heard, hear };
}
type Scene = ReturnType<typeof scene>;

/** Ways to hear what is secret: each begins to listen, before or after it was said. */
const EARS: Readonly<Record<string, (scene: Scene) => unknown>> = {
  'a wildcard': ({ intern, hear }) => intern.subscribe('**', hear),
  'a negation': ({ intern, hear }) => intern.subscribe('!(open).*', hear),
  'a set of characters': ({ intern, hear }) => intern.subscribe('[r-t]ecret.*', hear),
  'a family': ({ intern, hear }) => intern.subscribe('{area}.{name}', hear),
  'braces with what is open': ({ intern, hear }) => intern.subscribe('{open,secret}.x', hear),
  'a type of its own': ({ intern, hear }) => intern.subscribe('**', hear, { type: 'event' }),
  'a lane of its own': ({ intern, hear }) => intern.subscribe('**', hear, { lane: 'own' }),
  'what is retained': ({ intern, hear }) => intern.subscribe('**', hear, { replay: true }),
  'a batch': ({ intern, heard }) =>
    intern.subscribeBatch('**', (some) => void heard.push(...some.map(({ topic }) => topic))),
  'a group with one who may': ({ peer, intern, hear }) => {
    peer.subscribe('**', () => {}, { group: 'crew' });
    intern.subscribe('**', hear, { group: 'crew' });
  },
  'a pattern that is pulled': ({ intern, hear }) => pull(intern.messages('**'), hear),
  'its inbox': ({ intern, hear }) => pull(intern.messages(), hear),
  receive: ({ intern, heard }) =>
    void intern.receive().then((message) => heard.push(message?.topic ?? 'nothing')),
  'serving everything': ({ intern, hear }) => intern.serve('**', hear),
  'serving everything in batches': ({ intern, heard }) =>
    intern.serveBatch('**', (some) => some.map(({ topic }) => heard.push(topic)), {
      batch: { waitMs: 1 },
    }),
  'its echo': ({ intern, hear }) => intern.subscribe('**', hear, { echo: true }),
  'a retry': ({ intern, hear }) =>
    intern.subscribe('**', hear, { retry: { maxAttempts: 3, baseMs: 0 } }),
  'a busy policy': ({ intern, hear }) => intern.subscribe('**', hear, { busy: 'latest' }),
};

async function pull(
  messages: AsyncIterable<{ topic: string }>,
  hear: (message: { topic: string }) => void,
): Promise<void> {
  for await (const message of messages) hear(message);
}

/** All ways in which something secret is said where the intern might hear it. */
async function sayAll({ t, boss, peer }: Scene): Promise<void> {
  const { bus } = t;
  const quiet = (asked: Promise<unknown>): void => void asked.catch(() => {});
  const dare = (say: () => unknown): void => {
    try {
      say();
    } catch {
      // Refused is as good as unheard.
    }
  };
  peer.serve('secret.pass', (_request, context) => context.forward('intern'));
  for (const speaker of [bus, boss]) {
    speaker.publish('secret.x', 1);
    speaker.publish('secret.later', 1, { delayMs: 5 });
    dare(() => speaker.send('intern', 'secret.sent', 1));
    dare(() => speaker.send('intern', 'secret.sent', 1, { delayMs: 5 }));
    speaker.broadcast(['intern', 'peer'], 'secret.all', 1);
    quiet(speaker.request('secret.ask', 1, { timeoutMs: 20 }));
    quiet(speaker.request('secret.ask', 1, { to: 'intern', timeoutMs: 20 }));
    quiet(speaker.request('secret.pass', 1, { to: 'peer', timeoutMs: 20 }));
    quiet(speaker.gather('secret.ask', 1, { timeoutMs: 20 }));
    quiet(speaker.stream('secret.ask', 1, { timeoutMs: 20 }).result);
    speaker.publish('open.x', 1);
  }
  await t.clock.advance(100);
  await t.bus.deadLetters.redrive({}, { to: 'intern' });
  await t.bus.deadLetters.redrive();
  await t.clock.advance(100);
}

describe('permissions are not heard around', () => {
  it.each(Object.entries(EARS))('by %s', async (_what, listen) => {
    const play = scene();
    play.t.bus.publish('secret.kept', 1, { retain: true });
    play.boss.publish('secret.kept.too', 1, { retain: true });

    listen(play);
    await sayAll(play);

    expect(play.heard.filter((topic) => topic.startsWith('secret'))).toEqual([]);
  });

  it.each(Object.entries(EARS))('and without them it would be, by %s', async (_what, listen) => {
    const play = scene({ default: 'allow' });
    play.t.bus.publish('secret.kept', 1, { retain: true });

    listen(play);
    await sayAll(play);

    expect(play.heard.some((topic) => topic.startsWith('secret'))).toBe(true);
  });

  it('by what was retained, delayed or queued before they held', async () => {
    const play = scene();
    const { bus, clock } = play.t;
    bus.permissions.set({ default: 'allow' });
    play.intern.subscribe('**', play.hear);
    play.intern.pause();
    await sayAll(play);
    bus.publish('secret.late', 1, { delayMs: 1_000 });

    bus.permissions.set(PERMISSIONS);
    play.intern.resume();
    await clock.advance(2_000);

    expect(play.heard.filter((topic) => topic.startsWith('secret'))).toEqual([]);
    expect(play.heard).toContain('open.x');
  });

  it('by the state: its views show and watch what they may', async () => {
    const { t, intern } = scene();
    const seen: unknown[] = [];
    t.bus.state.set('secret.key', 1);
    const { revision } = t.bus.state.set('open.key', 1);
    const note = (call: () => unknown): unknown => {
      try {
        return call();
      } catch (error) {
        return (error as { code: unknown }).code;
      }
    };
    const watched = async (): Promise<void> => {
      for await (const { key } of intern.state.watch('**')) seen.push(key);
    };
    void watched();

    const { state } = intern;
    const tried = [
      note(() => state.get('secret.key')),
      note(() => state.has('secret.key')),
      note(() => state.history('secret.key')),
      note(() => state.update('secret.key', (value) => value)),
      note(() => state.create('secret.new', 1)),
      note(() => state.at(revision).get('secret.key')),
    ];
    const inside = outcomeOf(state.transaction(async (tx) => tx.get('secret.key')));
    const locked = outcomeOf(state.withLock('secret.key', async () => 1));
    t.bus.state.set('secret.key', 2);
    t.bus.state.set('open.key', 2);
    await t.settle();

    expect(tried).toEqual(tried.map(() => 'TELLASK_DENIED'));
    for (const one of [inside, locked]) {
      expect(one.now()).toMatchObject({ error: { code: 'TELLASK_DENIED' } });
    }
    expect(state.list('**').map(({ key }) => key)).toEqual(['open.key']);
    expect(seen).toEqual(['open.key']);
  });
});

type Voice = Pick<Agent, 'publish' | 'send' | 'broadcast' | 'request' | 'gather' | 'stream'>;

/** Ways to say what is secret. */
const MOUTHS: Readonly<Record<string, (voice: Voice, play: Scene) => unknown>> = {
  publish: (voice) => voice.publish('secret.x', 1),
  'publish with options': (voice) => voice.publish('secret.x', 1, { priority: 10, retain: true }),
  'publish later': (voice) => voice.publish('secret.x', 1, { delayMs: 1 }),
  send: (voice) => voice.send('peer', 'secret.x', 1),
  broadcast: (voice) => voice.broadcast(['peer'], 'secret.x', 1),
  request: (voice) => voice.request('secret.x', 1),
  'request of one': (voice) => voice.request('secret.x', 1, { to: 'peer' }),
  'request that waits': (voice) => voice.request('secret.x', 1, { waitForMs: 10 }),
  'request with a fallback': (voice) => voice.request('secret.x', 1, { fallback: ['peer'] }),
  gather: (voice) => voice.gather('secret.x', 1),
  stream: (voice) => voice.stream('secret.x', 1).result,
  'a transaction': (_, { intern }) =>
    intern.state.transaction(async (tx) => void tx.publish('secret.x', 1)),
  'a saga': async (voice) => {
    const plan = saga('leak').step('say', { run: (_, c) => c.request('secret.x', 1) });
    const { error } = await plan.run('1', {}, { as: voice as never });
    throw error;
  },
  'a workflow': (voice) => parallel([(c) => c.request('secret.x', 1)], { as: voice as Agent }),
  'a chain': (voice) => chain([{ topic: 'secret.x' }]).run(1, { as: voice as never }),
};

describe('permissions are not spoken around', () => {
  const attempt = async (play: Scene, say: () => unknown): Promise<unknown> => {
    play.peer.subscribe('**', play.hear);
    play.peer.serve('**', play.hear);
    const said = outcomeOf((async () => say())());
    await play.t.clock.advance(1_000);
    return said.now();
  };

  it.each(Object.entries(MOUTHS))('by %s on a handle', async (_what, say) => {
    const play = scene();

    const said = await attempt(play, () => say(play.intern, play));

    expect(JSON.stringify(said)).toContain('TELLASK_DENIED');
    expect(play.heard).toEqual([]);
  });

  it.each(Object.entries(MOUTHS))('by %s on a context', async (_what, say) => {
    const play = scene();
    let said: unknown;
    play.intern.subscribe('open.go', async (_message, context: Context) => {
      said = outcomeOf((async () => say(context, play))());
    });

    await attempt(play, () => play.t.bus.publish('open.go', 1));

    expect(JSON.stringify((said as { now(): unknown }).now())).toContain('TELLASK_DENIED');
    expect(play.heard).toEqual(['open.go']);
  });

  it('by forwarding what it may answer to another that it may not ask', async () => {
    const play = scene();
    const { permissions } = play.t.bus;
    permissions.add({ effect: 'allow', agents: 'intern', actions: 'serve', on: 'secret.*' });
    play.peer.serve('secret.*', play.hear);
    play.intern.serve('secret.*', (_request, context) => context.forward('peer'));

    const asked = outcomeOf(play.boss.request('secret.x', 1, { to: 'intern' }));
    await play.t.clock.advance(1_000);

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_DENIED', agent: 'intern' } });
    expect(play.heard).toEqual([]);
  });

  it('by what it said before it was forbidden and what is to leave after', async () => {
    const play = scene();
    const { permissions } = play.t.bus;
    const lift = permissions.add({ effect: 'allow', agents: 'intern', on: 'secret.*' });
    play.peer.subscribe('secret.*', play.hear);
    play.intern.publish('secret.late', 1, { delayMs: 10 });
    play.intern.send('peer', 'secret.late', 1, { delayMs: 10 });

    lift();
    await play.t.clock.advance(1_000);

    expect(play.heard).toEqual([]);
    expect(play.t.bus.deadLetters.list({ reason: 'denied' })).toHaveLength(2);
  });
});
