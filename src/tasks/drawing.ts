import { mermaidLabel } from '../observe/mermaid.ts';
import type { Task, TaskStatus } from './task.ts';

/** How a box looks, by where its task is. */
const LOOKS: Readonly<Partial<Record<TaskStatus, string>>> = {
  working: 'busy',
  'input-required': 'asks',
  completed: 'good',
  failed: 'bad',
  rejected: 'bad',
  canceled: 'off',
};

const CLASSES: readonly string[] = [
  'classDef good stroke:#2a8c4a,stroke-width:2px',
  'classDef bad stroke:#c62f2f,stroke-width:2px',
  'classDef busy stroke:#2a5c9c,stroke-width:2px',
  'classDef asks stroke:#b07a00,stroke-width:2px',
  'classDef off stroke-dasharray:4',
];

/**
 * Draws tasks as a Mermaid flowchart: an arrow leads from a task to what depends on it, dotted when
 * it is done whatever becomes of the first.
 */
export function drawTasks(tasks: readonly Task[]): string {
  // An id is anybody's text; `t1`, `t2` and so on are ours.
  const nodes = new Map(tasks.map(({ id }, index) => [id, `t${index + 1}`]));
  const lines: string[] = [];
  for (const task of tasks) lines.push(`${nodes.get(task.id)}["${labelOf(task)}"]`);
  for (const { id, dependsOn, onDependencyFailure } of tasks) {
    const arrow = onDependencyFailure === 'run' ? '-.->' : '-->';
    for (const dependency of dependsOn) {
      const from = nodes.get(dependency);
      if (from !== undefined) lines.push(`${from} ${arrow} ${nodes.get(id)}`);
    }
  }
  const looks = tasks.flatMap(({ id, status }) => {
    const look = LOOKS[status];
    return look === undefined ? [] : [`class ${nodes.get(id)} ${look}`];
  });
  if (looks.length > 0) lines.push(...CLASSES, ...looks);
  return `${['flowchart TD', ...lines.map((line) => `  ${line}`)].join('\n')}\n`;
}

function labelOf({ title, status, assignee }: Task): string {
  const who = status === 'working' && assignee !== undefined ? ` by ${assignee}` : '';
  return `${mermaidLabel(title)}, ${mermaidLabel(status + who)}`;
}
