import { describe, expect, it } from 'vitest';
import { AgentRegistry, type Probe } from '../../src/agents.ts';
import type { Agent as Handle } from '../../src/index.ts';
import { envOf } from '../../src/kernel/env-of.ts';
import type { Scenario } from '../../src/testing/explore/scenario.ts';
import { explore } from '../../src/testing.ts';

const NAMES = ['ann', 'ben', 'cid', 'dee'] as const;

/** Programs of random steps: who comes, goes, works, hangs, is probed, in any order of events. */
const society: Scenario = async (t) => {
  const registry = new AgentRegistry(t.bus);
  const here = new Map<string, Handle>();
  const probes: Probe[] = [];
  const open = new Set<() => void>();
  const running = new Map<string, number>();

  const wrong: unknown[] = [];
  /** What listeners and handlers throw is a fault of theirs: so it is noted, too. */
  const note = (): void => {
    try {
      check();
    } catch (error) {
      wrong.push(error);
    }
  };
  const check = (): void => {
    const found = registry.find({ capability: 'work' }).map(({ name }) => name);
    for (const name of found) {
      if (!here.has(name)) throw new Error(`${name} was found and has left`);
    }
    for (const name of here.keys()) {
      const { status } = registry.presence(name);
      if (status === 'gone') throw new Error(`${name} is here and said to be gone`);
      if (status === 'idle' && (running.get(name) ?? 0) > 0) throw new Error(`${name} is not idle`);
    }
    const cards = registry.list().length;
    if (cards !== here.size) throw new Error(`${cards} cards for ${here.size} agents`);
    const { probes: alive } = registry.inspect();
    if (alive > probes.length) throw new Error('more probes than were made');
  };
  const come = (name: string): void => {
    const agent = registry.register(
      { name, capabilities: [{ id: 'work', tags: [name] }] },
      { concurrency: 2 },
    );
    here.set(name, agent);
    running.set(name, 0);
    agent.subscribe('job', async ({ payload }) => {
      running.set(name, (running.get(name) ?? 0) + 1);
      note();
      if (payload === 'long') {
        await new Promise<void>((resolve) => open.add(resolve));
      }
      running.set(name, (running.get(name) ?? 0) - 1);
      if (payload === 'bad') throw new Error('bad');
    });
  };
  const leave = (name: string): void => {
    const agent = here.get(name);
    here.delete(name);
    running.delete(name);
    void agent?.leave();
  };
  t.bus.events.on('dead-lettered', note);
  t.bus.events.on('left', note);
  t.bus.subscribe('$bus.agent.*', note);

  const random = (below: number): number => Math.floor((envOf(t.bus)?.random() ?? 0) * below);
  for (let step = 0; step < 20; step++) {
    const name = NAMES[random(NAMES.length)] ?? 'ann';
    const what = random(8);
    if (!here.has(name)) come(name);
    else if (what < 2) leave(name);
    else if (what < 5) t.bus.send(name, 'job', ['short', 'long', 'bad'][what - 2]);
    else if (what === 5) {
      const verdict = random(2) === 0;
      probes.push(registry.probe(name, () => verdict, { everyMs: 5, failures: 1 }));
    } else if (what === 6) for (const release of [...open]) release();
    else await t.clock.advance(random(10));
    check();
    const unhealthy = registry.inspect().unhealthy;
    t.sometimes('somebody is unhealthy', unhealthy.length > 0);
    t.sometimes(
      'somebody is busy',
      [...running.values()].some((count) => count > 0),
    );
    for (const one of unhealthy) {
      if (!here.has(one)) throw new Error(`${one} has left and is unhealthy`);
    }
  }
  for (const release of [...open]) release();
  for (const name of [...here.keys()]) leave(name);
  await t.clock.advance(2_000);
  if (wrong.length > 0) throw wrong[0];
  const { cards, unhealthy, probes: left, sessions } = registry.inspect();
  if (cards + unhealthy.length + left + sessions > 0) throw new Error('something stayed behind');
};

describe('a registry, under orders of chance', () => {
  // R:L1 issue 7: the registry under `explore`
  it('never finds who has left, and never calls idle who is busy', async () => {
    const { schedules, never } = await explore(society, {
      seeds: 40,
      leaks: 'allow',
      unexpectedLetters: 'allow',
      unheard: 'count',
      requireSometimes: true,
    } as never);

    expect([schedules, never]).toEqual([40, []]);
  });

  it('stays right when messages are lost and handlers crash', async () => {
    const { schedules } = await explore(society, {
      seeds: 15,
      leaks: 'allow',
      unheard: 'count',
      faults: [
        { fault: 'drop', topic: 'job', probability: 0.2 },
        { fault: 'delay', topic: 'job', probability: 0.2, maxMs: 8 },
        { fault: 'crash', agent: 'ann', when: 'after', probability: 0.2 },
      ],
    } as never);

    expect(schedules).toBe(15);
  });
});
