import { BudgetExhaustedError, type MessageBus } from 'tellask';
import type { HowFar } from './agents/writer.ts';
import type { Desk } from './desk.ts';
import type { Audit } from './report.ts';

/** What became of the report. `partial`: its budget was used up before it was written. */
export type Published =
  | { readonly status: 'written' | 'kept' }
  | {
      readonly status: 'partial';
      readonly error: BudgetExhaustedError;
      readonly howFar: HowFar;
      /** What the desk keeps of it. */
      readonly letters: readonly { readonly topic: string; readonly reason: string }[];
    };

/** Options of {@link publish}. */
export interface PublishOptions {
  /** How many words the writer may spend. */
  readonly words: number;
  /** Shows a line as soon as it is written. */
  readonly show: (line: string) => void;
}

/** Has the report written and shows it meanwhile. */
export async function publish(
  bus: MessageBus<Desk>,
  job: { readonly audit: Audit; readonly diagram: string },
  { words, show }: PublishOptions,
): Promise<Published> {
  // A person may be asked first, who takes his time: silence is no reason to give up.
  const stream = bus.stream('report.publish', job, {
    idleTimeoutMs: Infinity,
    budget: { tokens: words },
  });
  try {
    for await (const line of stream) show(line);
    return await stream.result;
  } catch (error) {
    if (!(error instanceof BudgetExhaustedError)) throw error;
    const letters = bus.deadLetters
      .list({ topic: 'report.*' })
      .map(({ message: { topic }, reason }) => ({ topic, reason }));
    return { status: 'partial', error, howFar: error.partial as HowFar, letters };
  }
}
