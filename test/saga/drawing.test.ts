import { describe, expect, it } from 'vitest';
import { MemoryStore, saga } from '../../src/index.ts';

const nothing = (): void => {};
const undoable = { run: nothing, compensate: nothing };
const text = (...lines: string[]): string => `${lines.join('\n')}\n`;

describe('a drawing of a definition', () => {
  it('has the way forward, and the way back over the compensations', () => {
    const trip = saga<void>('trip')
      .step('flight', undoable)
      .parallel('extras', { hotel: undoable, car: { run: nothing } })
      .step('look', { run: nothing })
      .step('pay', { run: nothing, pivot: true })
      .step('mail', { run: nothing });

    expect(trip.toMermaid()).toBe(
      text(
        'flowchart TD',
        '  start(["trip"])',
        '  s1_1["flight"]',
        '  subgraph g2 ["extras"]',
        '    s2_1["hotel"]',
        '    s2_2["car"]',
        '  end',
        '  s3_1["look"]',
        '  s4_1{{"pay, pivot"}}',
        '  s5_1["mail"]',
        '  over(["completed"])',
        '  start ==> s1_1',
        '  s1_1 ==> g2',
        '  g2 ==> s3_1',
        '  s3_1 ==> s4_1',
        '  s4_1 ==> s5_1',
        '  s5_1 ==> over',
        '  back(["compensated"])',
        '  late(["failed-after-pivot"])',
        '  u1["undo flight"]',
        '  u1 -.-> back',
        '  s1_1 -. fails .-> u1',
        '  u2["undo extras"]',
        '  u2 -.-> u1',
        '  g2 -. fails .-> u2',
        '  s3_1 -. fails .-> u2',
        '  s4_1 -. fails .-> u2',
        '  s4_1 -. unknown .-> late',
        '  s5_1 -. fails .-> late',
      ),
    );
  });

  it('cannot be broken by a name', () => {
    const names = ['end', '"]; click s1', '<b>', 'a\nb', '%%{init}%%', 'graph TD', ' '];
    let odd = saga<void>('subgraph "x"]');
    for (const name of names.filter((one) => !/[>]/.test(one)))
      odd = odd.step(name, undoable) as never;

    const lines = odd.toMermaid().trimEnd().split('\n');

    const grammar =
      /^(flowchart TD| {2}(\w+\(?[[{]\(?\{?"[^"[\]{}<>%;]*(#\d+;[^"[\]{}<>%;]*)*"\}?\)?[\]}]\)?|\w+ (==>|-\.->|-\. fails \.->) \w+))$/;
    expect(lines.filter((line) => !grammar.test(line))).toEqual([]);
    expect(lines[2]).toBe('  s1_1["#101;nd"]');
  });
});

describe('a drawing of a run', () => {
  it('has the state of every step', async () => {
    const store = new MemoryStore();
    const trip = saga<void>('trip')
      .step('flight', undoable)
      .parallel('extras', {
        hotel: {
          run: nothing,
          compensate: () => Promise.reject(new Error('closed')),
          compensation: { retry: false },
        },
        car: { run: () => Promise.reject(new Error('full')) },
      })
      .step('mail', { run: nothing });
    await trip.run('trip-7', undefined, { store });

    const drawing = await trip.runToMermaid('trip-7', { store });

    expect(drawing).toBe(
      text(
        'flowchart TD',
        '  start(["trip trip-7"])',
        '  s1_1["flight, undone"]',
        '  subgraph g2 ["extras"]',
        '    s2_1["hotel, not undone"]',
        '    s2_2["car, failed"]',
        '  end',
        '  s3_1["mail, not begun"]',
        '  over(["compensation-failed"])',
        '  start ==> s1_1',
        '  s1_1 ==> g2',
        '  g2 ==> s3_1',
        '  s3_1 ==> over',
        '  classDef good stroke:#2a8c4a,stroke-width:2px',
        '  classDef bad stroke:#c62f2f,stroke-width:2px',
        '  classDef back stroke:#b07a00,stroke-dasharray:4',
        '  class s1_1 back',
        '  class s2_1 bad',
        '  class s2_2 bad',
      ),
    );
  });

  it('is refused for what the store does not have, or has of another definition', async () => {
    const store = new MemoryStore();
    const trip = saga<void>('trip').step('flight', undoable);
    await trip.run('trip-7', undefined, { store });
    const other = saga<void>('trip').step('train', undoable);

    await expect(trip.runToMermaid('trip-8', { store })).rejects.toMatchObject({
      code: 'TELLASK_SAGA_NOT_FOUND',
    });
    await expect(other.runToMermaid('trip-7', { store })).rejects.toMatchObject({
      code: 'TELLASK_SAGA_CHANGED',
    });
    await expect(trip.runToMermaid('', { store })).rejects.toThrow(TypeError);
    await expect(trip.runToMermaid('trip-7', { store: 1 as never })).rejects.toThrow(TypeError);
  });

  it('is there for a saga in memory, too', async () => {
    const trip = saga<void>('trip').step('flight', undoable);
    await trip.run('trip-7', undefined);

    expect(await trip.runToMermaid('trip-7')).toContain('s1_1["flight, completed"]');
  });
});
