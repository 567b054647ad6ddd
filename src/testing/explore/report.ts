import type { Lane } from '../../kernel/env.ts';
import type { AnyContract, ContractShape } from '../../message/contract-types.ts';
import { toMermaid } from '../../observe/mermaid.ts';
import { Recorder } from '../../observe/recorder.ts';
import type { InjectedFault } from '../faults/seeded-faults.ts';
import type { MarkedDelivery } from '../transcript-text.ts';
import { choicesText, type Token, tokenText } from './choices.ts';
import { ExplorationError } from './errors.ts';
import type { ScenarioBus } from './scenario.ts';
import type { Failure, Run, Witness } from './schedule.ts';
import { thrownText } from './thrown.ts';

const MAX_OVERTAKEN = 3;
/** Of the transcript and of the diagram in the report; the error has all of them. */
const MAX_LINES = 400;

/** One choice that matters, in words. */
interface Fork {
  readonly step: number;
  readonly chosen: Seat;
  readonly overtaken: readonly Seat[];
}

/** A lane and what it was about to do. */
interface Seat {
  readonly label: string;
  readonly seq: number | undefined;
  readonly recipient: string;
}

/** Watches the run that is reported. */
export class Reporter<C extends ContractShape = AnyContract> implements Witness<C> {
  readonly #forks: Fork[] = [];
  readonly #labels: string[] = [];
  readonly #recorder = new Recorder();
  #bus: ScenarioBus<C> | undefined;

  began(t: ScenarioBus<C>): void {
    this.#bus = t;
    // Events and no tap: a tap is a lane, and would be chosen too.
    t.bus.events.on('admitted', (message, recipients) =>
      this.#recorder.observe(message, { recipients }),
    );
    t.bus.events.on('handled', this.#recorder.answered);
  }

  readonly step = (step: number, lanes: readonly Lane[], choice: number): void => {
    const chosen = lanes[choice] as Lane;
    this.#labels.push(chosen.label);
    if (choice === 0) return;
    const overtaken = lanes.slice(0, choice).map(seatOf);
    this.#forks.push({ step, chosen: seatOf(chosen), overtaken });
  };

  /** The lanes that ran, in order. */
  get labels(): readonly string[] {
    return this.#labels;
  }

  /** Everything that helps to understand the failure, in one error. */
  toError(token: Token, { failure, injected }: Run, schedules: number): ExplorationError {
    const { error } = failure as Failure;
    const transcript = this.#bus?.transcript({ marked: this.#marked() }) ?? '';
    const diagram = this.#diagram();
    const replay = `TELLASK_SEED=${tokenText(token)}`;
    const choices = choicesText(token.choices);
    const report = [
      `${headOf(schedules)}: ${thrownText(error)}`,
      '',
      ...this.#forkLines(token.seed),
      ...faultLines(injected),
      `replay    ${replay}`,
      '',
      'transcript (! marks the deliveries that race)',
      shortened(transcript.trimEnd()),
      '',
      'diagram',
      shortened(diagram.trimEnd()),
    ].join('\n');
    const { seed } = token;
    return new ExplorationError(
      report,
      { seed, choices, faults: injected, replay, transcript, diagram, schedules },
      error,
    );
  }

  #forkLines(seed: number): string[] {
    if (this.#forks.length === 0)
      return [`seed      ${seed}, in production order: no choice matters`];
    const lines = this.#forks.map(({ step, chosen, overtaken }) => {
      const named = overtaken.slice(0, MAX_OVERTAKEN).map(nameOf).join(', ');
      const more = overtaken.length - MAX_OVERTAKEN;
      return `  at step ${step}: ${nameOf(chosen)} ran before ${named}${more > 0 ? ` and ${more} more` : ''}`;
    });
    return [`seed      ${seed}`, 'the choices that matter', ...lines];
  }

  /** Those that were chosen, and those that they overtook. */
  #marked(): MarkedDelivery[] {
    const seats = this.#forks.flatMap(({ chosen, overtaken }) => [chosen, ...overtaken]);
    return seats.flatMap(({ seq, recipient }) =>
      seq === undefined ? [] : [{ id: `m${seq}`, recipient }],
    );
  }

  #diagram(): string {
    for (const [seq, notes] of this.#notes()) this.#recorder.settle(seq, notes.join('; '));
    return toMermaid(this.#recorder.entries());
  }

  /** What the diagram says of the messages that race. */
  #notes(): Map<number, string[]> {
    const notes = new Map<number, string[]>();
    const note = (seq: number | undefined, text: string): void => {
      if (seq !== undefined) notes.set(seq, [...(notes.get(seq) ?? []), text]);
    };
    for (const { chosen, overtaken } of this.#forks) {
      const passed = overtaken.slice(0, MAX_OVERTAKEN);
      note(chosen.seq, `${plain(chosen)} ran before ${passed.map(plain).join(', ')}`);
      for (const seat of passed) {
        if (seat.seq !== chosen.seq) note(seat.seq, `${plain(seat)} ran after ${plain(chosen)}`);
      }
    }
    return notes;
  }
}

function faultLines(injected: readonly InjectedFault[]): string[] {
  if (injected.length === 0) return [];
  const lines = injected.map(({ atMs, text }) => `  at ${atMs} ms: ${text}`);
  return ['the faults that matter', ...lines];
}

function headOf(schedules: number): string {
  return schedules === 1
    ? 'The scenario failed'
    : `The scenario failed in the last of ${schedules} schedules`;
}

/** What a run that came to no end did in between is more of the same. */
function shortened(text: string): string {
  const lines = text.split('\n');
  const more = lines.length - MAX_LINES;
  if (more <= 0) return text;
  const half = MAX_LINES / 2;
  return [...lines.slice(0, half), `… ${more} more lines …`, ...lines.slice(-half)].join('\n');
}

function seatOf({ kind, label, order }: Lane): Seat {
  const counts = kind === 'mailbox' && order > 0 && order < Infinity;
  // A mailbox is called after its owner, and after its pattern where that has one of its own.
  return { label, seq: counts ? order : undefined, recipient: label.split(' ', 1)[0] as string };
}

function plain({ label, seq }: Seat): string {
  return seq === undefined ? label : `${label} (m${seq})`;
}

function nameOf({ label, seq }: Seat): string {
  return seq === undefined ? `\`${label}\`` : `\`${label}\` (m${seq})`;
}
