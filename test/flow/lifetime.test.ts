import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** Runs a program on the sources, in a Node of its own; returns what it printed when it had ended. */
function run(program: string): string {
  const entry = new URL('../../src/index.ts', import.meta.url).href;
  const code = `import { MessageBus } from ${JSON.stringify(entry)};\n${program}`;
  return execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    cwd: new URL('../..', import.meta.url).pathname,
    encoding: 'utf8',
    timeout: 20_000,
  }).trim();
}

// R:D2
describe('a program with a bus', () => {
  it('ends by itself when the bus is idle, though nobody closed it', () => {
    const printed = run(`
      const bus = new MessageBus();
      bus.subscribe('x', async () => {}, { timeoutMs: 60_000 });
      bus.publish('x', 1, { dedupeKey: 'k', retain: true, ttlMs: 60_000 });
      process.on('exit', () => console.log('handled', bus.inspect().handled));
    `);

    expect(printed).toBe('handled 1');
  });

  it('goes on until a request has settled', () => {
    const printed = run(`
      const bus = new MessageBus();
      bus.register('a').serve('q', () => new Promise(() => {}));
      bus.request('q', 1, { timeoutMs: 50 }).catch((error) => console.log(error.code));
    `);

    expect(printed).toBe('TELLASK_TIMEOUT');
  });

  // R:D5
  it('forgets a handler that never ends, and its message', () => {
    const printed = run(`
      import { setFlagsFromString } from 'node:v8';
      import { runInNewContext } from 'node:vm';
      setFlagsFromString('--expose-gc');
      const bus = new MessageBus({ handlerTimeoutMs: 1, graceMs: 1, isolation: 'share' });
      bus.subscribe('x', () => new Promise(() => {}));
      const abandoned = new Promise((resolve) => bus.events.once('abandoned', () => resolve()));
      const keepAlive = setInterval(() => {}, 1_000);
      const say = () => {
        const payload = { text: 'long' };
        bus.publish('x', payload);
        return new WeakRef(payload);
      };
      const payload = say();
      await abandoned;
      bus.deadLetters.purge();
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      runInNewContext('gc')();
      await new Promise((resolve) => setImmediate(resolve));
      runInNewContext('gc')();
      console.log(bus.inspect().abandoned, payload.deref());
      clearInterval(keepAlive);
    `);

    expect(printed).toBe('1 undefined');
  });

  it('starts nothing by importing the library', () => {
    const printed = run(`
      console.log(process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate/.test(name)).length);
    `);

    expect(printed).toBe('0');
  });
});
