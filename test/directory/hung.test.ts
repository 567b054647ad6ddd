import { describe, expect, it } from 'vitest';
import { AgentRegistry } from '../../src/agents.ts';
import { createTestBus } from '../../src/testing.ts';
import { hang } from '../flow/books.ts';

describe('an agent that hangs', () => {
  // R:L1 F:G5
  it.each(['release', 'hold'] as const)('is hung while it holds its place: %s', async (onHang) => {
    const t = createTestBus({ leaks: 'allow', graceMs: 1_000 });
    const registry = new AgentRegistry(t.bus);
    const ann = registry.register({ name: 'ann' }, { onHang });
    ann.subscribe('job', hang, { timeoutMs: 5_000 });
    t.bus.publish('job', 1);
    await t.settle();
    const began = registry.presence('ann').busySince ?? Number.NaN;

    await t.clock.advance(4_999);
    expect(registry.presence('ann')).toMatchObject({ status: 'busy', abandoned: 0 });
    await t.clock.advance(2);
    expect(registry.presence('ann')).toMatchObject({ status: 'hung', since: began + 5_000 });
    await t.clock.advance(1_000);

    const after = onHang === 'hold' ? { status: 'hung', running: 1 } : { status: 'idle' };
    expect(registry.presence('ann')).toMatchObject({ ...after, abandoned: 1 });
  });

  it('has left when it is stopped for it', async () => {
    const t = createTestBus({ leaks: 'allow', graceMs: 1_000 });
    const registry = new AgentRegistry(t.bus);
    registry.register({ name: 'ann' }, { onHang: 'stop' }).subscribe('job', hang, { timeoutMs: 1 });
    t.bus.publish('job', 1);

    await t.clock.advance(2_000);

    expect(registry.presence('ann').status).toBe('gone');
    expect(registry.list()).toEqual([]);
  });
});

describe('an agent between two lives', () => {
  it('is starting or restarting, and not idle', async () => {
    const t = createTestBus({ leaks: 'allow' });
    const registry = new AgentRegistry(t.bus);
    let begin: () => void = () => {};
    const start = (): Promise<void> =>
      new Promise((resolve) => {
        begin = resolve;
      });
    registry.register({ name: 'ann', type: 'slow' }, { start });

    expect(registry.presence('ann').status).toBe('starting');
    begin();
    await t.settle();

    expect(registry.presence('ann').status).toBe('idle');
    expect(registry.find({ type: 'slow' })).toHaveLength(1);
  });
});
