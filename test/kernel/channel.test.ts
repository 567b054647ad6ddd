import { describe, expect, it } from 'vitest';
import { Channel } from '../../src/kernel/channel.ts';

const END = { done: true, value: undefined };
const item = <T>(value: T) => ({ done: false, value });

describe('Channel', () => {
  it('gives values in the order in which they were pushed', async () => {
    const channel = new Channel<number>({ capacity: 1_000 });
    const pushed = Array.from({ length: 1_000 }, (_, i) => i);
    for (const value of pushed) channel.push(value);
    channel.end();

    const read: number[] = [];
    for await (const value of channel) read.push(value);

    expect(read).toEqual(pushed);
  });

  // R:D4
  it('refuses a value when it is full, and takes one again after a read', async () => {
    const channel = new Channel<string>({ capacity: 2 });

    expect(['a', 'b', 'c'].map((value) => channel.push(value))).toEqual([true, true, false]);
    expect([channel.size, channel.writable]).toEqual([2, false]);
    await channel.next();

    expect([channel.push('d'), channel.size]).toEqual([true, 2]);
  });

  it('tells the producer of each value that was taken', async () => {
    const log: string[] = [];
    const channel = new Channel<string>({ capacity: 2, onTake: () => log.push('room') });
    const early = channel.next();
    channel.push('a');
    channel.push('b');
    log.push('pushed');

    await channel.next();

    expect(await early).toEqual(item('a'));
    expect(log).toEqual(['room', 'pushed', 'room']);
  });

  it('serves calls of next that wait in the order in which they were made', async () => {
    const channel = new Channel<string>({ capacity: 1 });
    const reads = [channel.next(), channel.next(), channel.next()];

    channel.push('a');
    channel.push('b');
    channel.end();

    expect(await Promise.all(reads)).toEqual([item('a'), item('b'), END]);
  });

  it('gives what is buffered before the end', async () => {
    const channel = new Channel<string>({ capacity: 2 });
    channel.push('a');
    channel.end();

    expect(channel.push('late')).toBe(false);
    expect(await channel.next()).toEqual(item('a'));
    expect(await channel.next()).toEqual(END);
    expect(await channel.next()).toEqual(END);
  });

  it('gives what is buffered before the failure, and the failure once', async () => {
    const channel = new Channel<string>({ capacity: 2 });
    channel.push('a');
    channel.end(new Error('cut off'));
    channel.end();

    expect(await channel.next()).toEqual(item('a'));
    await expect(channel.next()).rejects.toThrow('cut off');
    expect(await channel.next()).toEqual(END);
  });

  it('fails the reader that waits first, and ends the others', async () => {
    const channel = new Channel<string>({ capacity: 1 });
    const [first, second] = [channel.next(), channel.next()];

    channel.end(undefined);

    await expect(first).rejects.toBeUndefined();
    expect(await second).toEqual(END);
  });

  // R:D4
  it('stops the producer once when the reader breaks off', async () => {
    let closed = 0;
    const channel = new Channel<string>({ capacity: 3, onClose: () => (closed += 1) });
    for (const value of ['a', 'b', 'c']) channel.push(value);

    for await (const value of channel) {
      if (value === 'b') break;
    }
    await channel.return();

    expect(closed).toBe(1);
    expect([channel.size, channel.push('d'), await channel.next()]).toEqual([0, false, END]);
  });

  // R:D4
  it('stops the producer and rejects when an error is thrown into it', async () => {
    let closed = 0;
    const channel = new Channel<string>({ capacity: 1, onClose: () => (closed += 1) });

    await expect(channel.throw(new Error('mine'))).rejects.toThrow('mine');

    expect(closed).toBe(1);
  });

  it('ends the calls of next that wait when it is closed', async () => {
    const channel = new Channel<string>({ capacity: 1 });
    const read = channel.next();

    await channel.return();

    expect(await read).toEqual(END);
  });

  it('stops the producer when it is disposed of', async () => {
    let closed = 0;
    const channel = new Channel<string>({ capacity: 1, onClose: () => (closed += 1) });

    await channel[Symbol.asyncDispose]();

    expect(closed).toBe(1);
  });

  it('does not stop a producer whose end was read', async () => {
    let closed = 0;
    const channel = new Channel<string>({ capacity: 1, onClose: () => (closed += 1) });
    channel.end();
    await channel.next();

    await channel.return();

    expect(closed).toBe(0);
  });
});
