import {
  BudgetExhaustedError,
  type MessageBus,
  type SagaContext,
  type SagaEvent,
  type SagaStatus,
  saga,
} from 'tellask';
import type { HowFar } from './agents/writer.ts';
import type { Desk } from './desk.ts';
import type { Audit } from './report.ts';

/** How it was published: step by step, and what was undone when one failed. */
export interface Publishing {
  readonly status: SagaStatus;
  readonly done: readonly string[];
  readonly failed: { readonly step: string; readonly why: string } | undefined;
  /** In the order in which it was undone. */
  readonly undone: readonly string[];
  /** All of it as a Mermaid flowchart. */
  readonly drawing: string;
}

/** What became of the report. `partial`: its budget was used up before it was written. */
export type Published = { readonly publishing: Publishing } & (
  | { readonly status: 'written' | 'kept' | 'undone' }
  | {
      readonly status: 'partial';
      readonly error: BudgetExhaustedError;
      readonly howFar: HowFar;
      /** What the desk keeps of it. */
      readonly letters: readonly { readonly topic: string; readonly reason: string }[];
    }
);

/** Options of {@link publish}. */
export interface PublishOptions {
  /** How many words the writer may spend. */
  readonly words: number;
  /** Shows a line as soon as it is written. */
  readonly show: (line: string) => void;
  /** The step that is made to fail. */
  readonly fail?: FailingStep | undefined;
}

/** A step of the publishing that can be made to fail. */
export type FailingStep = 'index' | 'announce';

interface Job {
  readonly audit: Audit;
  readonly diagram: string;
}

type Step<R extends object = object> = SagaContext<null, R, Desk>;

const FILES = ['report.md', 'traffic.mmd'];
const INDEX = ['index.md'];

/**
 * Has the report written, shown meanwhile, listed and announced: all of it or nothing. When a step
 * fails, what was done before is undone in reverse.
 */
export async function publish(
  bus: MessageBus<Desk>,
  job: Job,
  options: PublishOptions,
): Promise<Published> {
  let exhausted: BudgetExhaustedError | undefined;
  const { title, findings } = job.audit;
  const entry = { title, findings: findings.length };
  const mayFail = (step: FailingStep) => {
    if (options.fail === step) throw new Error(`The step ${step} was made to fail.`);
  };
  const publishing = saga<null, Desk>('publishing')
    // Reads only, so there is nothing to undo.
    .step('before', { run: (_, c) => c.request('files.keep', [...FILES, ...INDEX]) })
    .step('write', {
      run: async (_, c) => {
        try {
          return await write(c, job, options);
        } catch (error) {
          if (!(error instanceof BudgetExhaustedError)) throw error;
          exhausted = error;
          return 'partial' as const;
        }
      },
      compensate: (_, c) => c.request('files.restore', only(FILES, c.results.before)),
      timeoutMs: Infinity,
    })
    .step('index', {
      run: (_, c) => {
        mayFail('index');
        return c.results.write === 'kept' || c.request('index.add', entry);
      },
      compensate: (_, c) => c.request('files.restore', only(INDEX, c.results.before)),
    })
    .step('announce', {
      run: (_, c) => {
        mayFail('announce');
        return c.results.write === 'kept' || c.request('report.announce', entry);
      },
    });

  const watched = watch();
  const result = await publishing.run('report', null, { as: bus, onProgress: watched.onProgress });
  const drawing = await publishing.runToMermaid('report');
  const how = { publishing: { ...watched.seen(), status: result.status, drawing } };
  if (result.status !== 'completed') {
    // Only what was made to fail is part of the show.
    if (options.fail === undefined) throw new Error(result.error?.message ?? result.status);
    return { ...how, status: 'undone' };
  }
  if (exhausted === undefined) return { ...how, status: result.results.write as 'written' };
  return { ...how, status: 'partial', ...partOf(bus, exhausted) };
}

async function write(
  c: Step,
  job: Job,
  { words, show }: PublishOptions,
): Promise<'written' | 'kept'> {
  // A person may be asked first, who takes his time: silence is no reason to give up.
  const stream = c.stream('report.publish', job, {
    idleTimeoutMs: Infinity,
    budget: { tokens: words },
  });
  for await (const line of stream) show(line);
  return (await stream.result).status;
}

function partOf(bus: MessageBus<Desk>, error: BudgetExhaustedError) {
  const letters = bus.deadLetters
    .list({ topic: 'report.*' })
    .map(({ message: { topic }, reason }) => ({ topic, reason }));
  return { error, howFar: error.partial as HowFar, letters };
}

function only(
  names: readonly string[],
  kept: Readonly<Record<string, string | null>>,
): Record<string, string | null> {
  return Object.fromEntries(names.map((name) => [name, kept[name] ?? null]));
}

/** Writes down how a saga goes on. */
function watch() {
  const [done, undone]: [string[], string[]] = [[], []];
  let failed: Publishing['failed'];
  const onProgress = (event: SagaEvent): void => {
    if (event.type === 'step-completed' && event.step !== 'before') done.push(event.step);
    if (event.type === 'step-failed') failed = { step: event.step, why: event.error.message };
    if (event.type === 'compensated') undone.push(event.step);
  };
  return { onProgress, seen: () => ({ done, undone, failed }) };
}
