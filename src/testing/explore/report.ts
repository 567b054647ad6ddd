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

const MAX_OVERTAKEN = 3;

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
      `${headOf(schedules)}: ${textOf(error)}`,
      '',
      ...this.#forkLines(token.seed),
      ...faultLines(injected),
      `replay    ${replay}`,
      '',
      'transcript (! marks the deliveries that race)',
      transcript.trimEnd(),
      '',
      'diagram',
      diagram.trimEnd(),
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

  #marked(): MarkedDelivery[] {
    return this.#racing().map((seq) => ({ id: `m${seq}` }));
  }

  #racing(): number[] {
    const seats = this.#forks.flatMap(({ chosen, overtaken }) => [chosen, ...overtaken]);
    return [...new Set(seats.flatMap(({ seq }) => (seq === undefined ? [] : [seq])))];
  }

  #diagram(): string {
    for (const { chosen, overtaken } of this.#forks) {
      const passed = overtaken.flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
      const [first] = passed;
      if (chosen.seq === undefined || first === undefined) continue;
      this.#recorder.settle(chosen.seq, `m${chosen.seq} ran before m${first}`);
      for (const seq of passed) this.#recorder.settle(seq, `m${seq} ran after m${chosen.seq}`);
    }
    return toMermaid(this.#recorder.entries());
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

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function seatOf({ kind, label, order }: Lane): Seat {
  const counts = kind === 'mailbox' || kind === 'dispatch';
  return { label, seq: counts && order > 0 && order < Infinity ? order : undefined };
}

function nameOf({ label, seq }: Seat): string {
  return seq === undefined ? `\`${label}\`` : `\`${label}\` (m${seq})`;
}
