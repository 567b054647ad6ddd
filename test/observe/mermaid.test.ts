import { describe, expect, it } from 'vitest';
import { toMermaid } from '../../src/observe/mermaid.ts';
import type { RecordedMessage } from '../../src/observe/recorder.ts';

const entry = (fields: Partial<RecordedMessage>): RecordedMessage => ({
  seq: 1,
  id: 'm1',
  causationId: undefined,
  correlationId: 'm1',
  type: 'event',
  topic: 'report.7.drafted',
  from: 'writer',
  to: ['editor'],
  ...fields,
});

describe('toMermaid', () => {
  it('draws who told whom, replies, silence and outcomes', () => {
    const text = toMermaid(
      [
        entry({ to: ['editor', 'archive'] }),
        entry({
          from: 'editor',
          to: ['writer'],
          type: 'reply',
          topic: 'search.web',
          outcome: 'handled',
        }),
        entry({ topic: 'nobody.cares', to: [] }),
        entry({ outcome: 'dead-lettered(handler-error)' }),
      ],
      { title: 'A day' },
    );

    expect(text).toBe(`sequenceDiagram
  title A day
  participant p1 as writer
  participant p2 as editor
  participant p3 as archive
  p1->>p2: report.7.drafted
  p1->>p3: report.7.drafted
  p2-->>p1: search.web
  Note over p1: nobody.cares, heard by nobody
  p1->>p2: report.7.drafted
  Note over p2: dead-lettered(handler-error)
`);
  });

  it('cannot be broken by hostile names and topics', () => {
    const hostile = 'a\n  participant evil; %% <script> "x" #35; : end';

    const text = toMermaid(
      [entry({ from: hostile, to: ['end'], topic: hostile, outcome: hostile })],
      {
        title: hostile,
      },
    );

    const escaped =
      'a#10;  participant evil#59; #37;#37; #60;script#62; #34;x#34; #35;35#59; #58; #101;nd';
    expect(text.split('\n')).toEqual([
      'sequenceDiagram',
      `  title ${escaped}`,
      `  participant p1 as ${escaped}`,
      '  participant p2 as #101;nd',
      `  p1->>p2: ${escaped}`,
      `  Note over p2: ${escaped}`,
      '',
    ]);
  });

  it('keeps labels short and never empty, and letters of all scripts', () => {
    const text = toMermaid([entry({ from: '', to: ['Größe-世界'], topic: 'x'.repeat(1_000) })]);

    expect(text).toContain('participant p1 as #160;');
    expect(text).toContain('as Größe-世界');
    expect(text).toContain(`: ${'x'.repeat(119)}…\n`);
  });

  it('says how many messages it left out', () => {
    const entries = Array.from({ length: 5 }, (_, seq) => entry({ seq, to: [`to${seq}`] }));

    const text = toMermaid(entries, { maxMessages: 2 });

    expect(text.match(/->>/g)).toHaveLength(2);
    expect(text).toContain('  Note over p1: 3 more messages\n');
    expect(text).not.toContain('to2');
  });

  it('draws nothing of nothing', () => {
    expect(toMermaid([])).toBe('sequenceDiagram\n');
  });
});
