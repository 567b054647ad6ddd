import { expect, it } from 'vitest';
import { createProgress, renderBar } from '../../examples/demo/progress.ts';

function screenOf(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, columns: 60, written, write: (text: string) => written.push(text) };
}

it('draws over one line on a terminal and ends it', () => {
  const screen = screenOf(true);
  const progress = createProgress(screen);
  progress.update(1, 2);
  progress.update(1, 2);
  progress.finish();

  expect(screen.written).toHaveLength(2);
  expect(screen.written[0]).toMatch(/^\r.* 50 % {2}1 of 2/);
  expect(screen.written[1]).toBe('\n');
});

it('draws on a terminal that does not know its width', () => {
  const screen = { ...screenOf(true), columns: 0 };
  createProgress(screen).update(1, 2);

  expect(screen.written[0]).toContain('█');
});

it('prints ten plain lines where there is no terminal', () => {
  const screen = screenOf(false);
  const progress = createProgress(screen);
  for (let done = 0; done <= 1_000; done++) progress.update(done, 1_000, 'pages');
  progress.finish();

  expect(screen.written).toHaveLength(10);
  expect(screen.written.join('')).not.toContain('\u001B');
});

it.each([0, 1, 10, 40, 80, 200])('stays inside of %i columns', (width) => {
  expect(renderBar(3, 7, 'pages', width).length).toBeLessThanOrEqual(width);
});

it('shows an empty job as nothing done', () => {
  expect(renderBar(0, 0, '', 40)).toContain('0 %');
});
