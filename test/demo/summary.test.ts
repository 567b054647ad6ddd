import { BudgetExhaustedError, MessageBus, StateManager, workflows } from 'tellask';
import { expect, it } from 'vitest';
import type { Publishing } from '../../examples/demo/publish.ts';
import type { Stage } from '../../examples/demo/report-book.ts';
import type { DeskRun } from '../../examples/demo/run-desk.ts';
import { renderEnd, renderSummary } from '../../examples/demo/summary.ts';

const PUBLISHING: Publishing = {
  status: 'completed',
  done: ['write', 'index', 'announce'],
  failed: undefined,
  undone: [],
  drawing: '',
};

function runOf(more: Partial<DeskRun> = {}): DeskRun {
  const bus = new MessageBus();
  return {
    audit: {
      title: 'docs',
      pages: 1,
      packages: 0,
      findings: [],
      disputed: [],
      withdrawn: 0,
      unread: [],
    },
    published: { status: 'written', publishing: PUBLISHING },
    book: { history: [], workflow: undefined },
    shielded: { name: 'javascript', failed: 0, spared: 0, status: 'closed' },
    readings: { completed: 0, failed: 0, folders: [] },
    replaced: [],
    incidents: [],
    failed: [],
    recovered: [],
    made: [],
    way: undefined,
    books: bus.inspect(),
    metrics: bus.metrics(),
    agents: [],
    seconds: 1,
    ...more,
  };
}

it('says so when the books do not balance', () => {
  const { books } = runOf();

  expect(renderSummary(runOf())).toContain('The books balance.');
  expect(renderSummary(runOf({ books: { ...books, admitted: 3, handled: 2 } }))).toContain(
    'The books do NOT balance: the sum is 2.',
  );
});

it('lets no name of a file command the terminal', () => {
  const failed = [
    { path: 'a\u001B[2J\r\u202Eb.md', reason: 'rejected', attempts: 1, why: '\u0007' },
  ];

  expect(renderSummary(runOf({ failed }))).toContain('a\uFFFD[2J\uFFFD\uFFFDb.md: dead-lettered');
});

it('says whether the report is there', () => {
  expect(renderEnd({ status: 'written', publishing: PUBLISHING })).toContain('out/report.md');
  expect(renderEnd({ status: 'kept', publishing: PUBLISHING })).toContain('nothing was written');
});

it('shows a budget that was used up among what went wrong', () => {
  const error = new BudgetExhaustedError({ resource: 'tokens', limit: 200, spent: 203 });
  const letters = [{ topic: 'report.write', reason: 'budget' }];
  const howFar = { written: 3, lines: 9 };
  const published = { status: 'partial', error, letters, howFar, publishing: PUBLISHING } as const;

  const summary = renderSummary(runOf({ published }));

  expect(summary).toContain('report.write: dead-lettered(budget)');
  expect(summary).toContain(error.message);
  expect(summary).toContain('3 of 9 lines were written');
  expect(renderEnd(published)).toContain('The report ends early, 3 of 9 lines.');
});

it('shows which steps published the report, and what was undone', () => {
  const failed = { step: 'announce', why: 'The herald is hoarse.' };
  const publishing = {
    ...PUBLISHING,
    status: 'compensated',
    done: ['write', 'index'],
    failed,
    undone: ['index', 'write'],
  } as const;
  const published = { status: 'undone', publishing } as const;

  expect(renderSummary(runOf())).toContain('write ✓ → index ✓ → announce ✓: completed');
  const summary = renderSummary(runOf({ published }));
  expect(summary).toContain('write ✓ → index ✓ → announce ✗: compensated');
  expect(summary).toContain('The herald is hoarse. Undone: index, write.');
  expect(renderEnd(published)).toContain('Publishing failed and was undone');
});

it('shows how good each stage of the report was, and which was not reached', () => {
  const state = new StateManager();
  const flow = workflows<Stage>(state);
  flow.createWorkflow('report', ['check', 'draft', 'publish']);
  flow.startStage('report', 'check');
  flow.completeStage('report', 'check', { qualityScore: 0.5 });
  const { value } = flow.startStage('report', 'draft');

  const summary = renderSummary(runOf({ book: { history: [], workflow: value } }));

  expect(summary).toContain('Quality: check 0.50 → draft (open) → publish (not begun)');
});

it.each([
  [{ failed: 3, spared: 9, status: 'closed' }, 'which spared it 9 pages; it closed again.'],
  [{ failed: 3, spared: 1, status: 'open' }, 'which spared it 1 pages; it is open at the end.'],
] as const)('tells of a checker that failed: %j', (how, text) => {
  const shielded = { name: 'javascript', ...how };

  expect(renderSummary(runOf({ shielded }))).toContain('javascript failed on 3 pages');
  expect(renderSummary(runOf({ shielded }))).toContain(text);
  expect(renderSummary(runOf())).not.toContain('javascript failed');
});
