import { mermaidLabel } from '../observe/mermaid.ts';
import type { SagaJournal, SagaStepState } from './journal.ts';
import type { Plan, StagePlan } from './plan.ts';
import type { StepPlan } from './step.ts';

/** How the state of a step reads in a drawing. */
const WORDS: Readonly<Record<SagaStepState, string>> = {
  started: 'begun',
  completed: 'completed',
  failed: 'failed',
  unknown: 'unknown',
  undoing: 'being undone',
  undone: 'undone',
  'undo-failed': 'not undone',
};

const CLASSES: readonly string[] = [
  'classDef good stroke:#2a8c4a,stroke-width:2px',
  'classDef bad stroke:#c62f2f,stroke-width:2px',
  'classDef back stroke:#b07a00,stroke-dasharray:4',
];

/**
 * Draws a definition as a Mermaid flowchart: the steps, with thick arrows for the way forward, and
 * dotted ones for the way back over the compensations.
 */
export function drawPlan(plan: Plan): string {
  const lines = [
    `start(["${mermaidLabel(plan.name)}"])`,
    ...plan.parts.flatMap((part, index) => drawStage(part, index)),
  ];
  return chart([...lines, ...wayForth(plan, 'completed'), ...wayBack(plan)]);
}

/** Draws what became of one saga: the steps with the states they are in. */
export function drawRun(plan: Plan, journal: SagaJournal): string {
  const { id, status, steps } = journal;
  const title = `${mermaidLabel(plan.name)} ${mermaidLabel(id)}`;
  const lines = [`start(["${title}"])`];
  for (const [index, part] of plan.parts.entries()) {
    lines.push(...drawStage(part, index, ({ key }) => wordOf(steps[key]?.state)));
  }
  lines.push(...wayForth(plan, status), ...CLASSES);
  for (const [index, { steps: members }] of plan.parts.entries()) {
    for (const [member, { key }] of members.entries()) {
      const look = lookOf(steps[key]?.state);
      if (look !== undefined) lines.push(`class ${nodeOf(index, member)} ${look}`);
    }
  }
  return chart(lines);
}

function chart(lines: readonly string[]): string {
  return `${['flowchart TD', ...lines.map((line) => `  ${line}`)].join('\n')}\n`;
}

/** A name is anybody's text; `s1_1`, `g2` and so on are ours. */
function nodeOf(stage: number, member: number): string {
  return `s${stage + 1}_${member + 1}`;
}

/** What arrows lead to and from: a step, or a group as a whole. */
function stageNode({ group }: StagePlan, index: number): string {
  return group ? `g${index + 1}` : nodeOf(index, 0);
}

function drawStage(
  part: StagePlan,
  index: number,
  word: (step: StepPlan) => string = () => '',
): string[] {
  const boxes = part.steps.map((step, member) => drawStep(step, nodeOf(index, member), word(step)));
  if (!part.group) return boxes;
  const inner = boxes.map((box) => `  ${box}`);
  return [`subgraph g${index + 1} ["${mermaidLabel(part.name)}"]`, ...inner, 'end'];
}

/** The pivot is a hexagon. */
function drawStep({ key, pivot }: StepPlan, node: string, word: string): string {
  const name = mermaidLabel(key.slice(key.indexOf('/') + 1));
  const text = [name, ...(pivot ? ['pivot'] : []), ...(word === '' ? [] : [word])].join(', ');
  return pivot ? `${node}{{"${text}"}}` : `${node}["${text}"]`;
}

function wayForth({ parts }: Plan, end: string): string[] {
  const nodes = ['start', ...parts.map(stageNode), 'over'];
  const arrows = nodes.slice(1).map((node, index) => `${nodes[index]} ==> ${node}`);
  return [`over(["${end}"])`, ...arrows];
}

/** From each stage that can fail to what is undone then, and from there back to the first. */
function wayBack({ parts }: Plan): string[] {
  const lines: string[] = [];
  const pivot = parts.findIndex(({ steps }) => steps.some((step) => step.pivot));
  let last = 'back';
  for (const [index, part] of parts.slice(0, pivot === -1 ? undefined : pivot + 1).entries()) {
    const undo = drawUndo(part, index);
    if (undo !== undefined) lines.push(undo, `u${index + 1} -.-> ${last}`);
    if (undo !== undefined) last = `u${index + 1}`;
    lines.push(`${stageNode(part, index)} -. fails .-> ${last}`);
  }
  const late = pivot === -1 ? [] : parts.map(stageNode).slice(pivot);
  const arrows = late.map((node, at) => `${node} -. ${at === 0 ? 'unknown' : 'fails'} .-> late`);
  const ends = late.length === 0 ? [] : ['late(["failed-after-pivot"])'];
  return ['back(["compensated"])', ...ends, ...lines, ...arrows];
}

function drawUndo({ name, steps }: StagePlan, index: number): string | undefined {
  if (!steps.some(({ undoable }) => undoable)) return undefined;
  return `u${index + 1}["undo ${mermaidLabel(name)}"]`;
}

function wordOf(state: SagaStepState | undefined): string {
  return state === undefined ? 'not begun' : WORDS[state];
}

function lookOf(state: SagaStepState | undefined): string | undefined {
  if (state === undefined || state === 'started') return undefined;
  if (state === 'completed') return 'good';
  return state === 'undone' || state === 'undoing' ? 'back' : 'bad';
}
