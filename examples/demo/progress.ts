/** Where progress is shown: `process.stderr` fits. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Shows how far a job is. */
export interface Progress {
  update(done: number, total: number, label?: string): void;
  /** Ends the bar, so that what is printed next begins on a line of its own. */
  finish(): void;
}

/**
 * Draws a bar on a terminal, and elsewhere prints a plain line at every tenth of the way. The total
 * may grow while the job runs; a tenth that was printed is not printed again.
 */
export function createProgress(screen: Screen): Progress {
  return screen.isTTY === true ? drawBar(screen) : printLines(screen);
}

function drawBar(screen: Screen): Progress {
  let shown = '';
  return {
    update(done, total, label = '') {
      // Some terminals do not know their width and say 0.
      const line = renderBar(done, total, label, screen.columns || 80);
      if (line !== shown) screen.write(`\r\u001B[2K${line}`);
      shown = line;
    },
    finish() {
      if (shown !== '') screen.write('\n');
    },
  };
}

function printLines(screen: Screen): Progress {
  let printed = 0;
  return {
    update(done, total, label = '') {
      const tenth = Math.floor(shareOf(done, total) * 10);
      if (tenth <= printed) return;
      printed = tenth;
      screen.write(`${done} of ${total} ${label}\n`);
    },
    finish() {},
  };
}

/** One line of at most `width` columns: `████░░░░ 50 %  12 of 24 pages`. */
export function renderBar(done: number, total: number, label: string, width: number): string {
  const share = shareOf(done, total);
  const tail = ` ${String(Math.floor(share * 100)).padStart(3)} %  ${done} of ${total} ${label}`;
  const room = Math.max(0, Math.min(40, width - tail.length - 1));
  const full = Math.round(room * share);
  return `${'█'.repeat(full)}${'░'.repeat(room - full)}${tail}`.slice(0, Math.max(0, width - 1));
}

function shareOf(done: number, total: number): number {
  return total === 0 ? 0 : Math.min(1, done / total);
}
