const WIDEST = 30;

/** A bar chart: `Broken links   12 ██████`. The longest bar has 30 characters. */
export function drawBars(bars: readonly (readonly [label: string, count: number])[]): string[] {
  const most = Math.max(1, ...bars.map(([, count]) => count));
  const table = drawTable(bars.map(([label, count]) => [label, String(count)]));
  return table.map((line, index) => {
    const count = bars[index]?.[1] ?? 0;
    const length = count === 0 ? 0 : Math.max(1, Math.round((count / most) * WIDEST));
    return `${line} ${'█'.repeat(length)}`.trimEnd();
  });
}

/** Columns of text: the first to the left, numbers to the right. */
export function drawTable(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  '),
  );
}
