import type { Chooser } from './chooser.ts';
import { Nominee, type Selection, type SelectionCall } from './selection.ts';
import type { RequestOptions } from './speech.ts';
import type { Subscription } from './subscription.ts';
import type { Worker } from './worker.ts';

/** One who serves a topic, and what speaks for and against asking it now. */
export interface ExplainedCandidate {
  readonly agent: string;
  /** Deliveries that it has not ended. */
  readonly outstanding: number;
  /** Why it is not asked at all: `to` does not name it, or it lacks the capability. */
  readonly excluded?: 'to';
  /** Its mailbox is full, or it is paused: it may be asked all the same. */
  readonly because?: 'full' | 'paused';
  /** What the strategy says of it. */
  readonly note?: string;
}

/** Says of each who serves why it would be asked or not. Nobody is asked, and no turn is taken. */
export function explainCandidates(
  chooser: Chooser,
  subscriptions: readonly Subscription[],
  to: RequestOptions['to'],
  select: Selection | undefined,
  call: SelectionCall,
): ExplainedCandidate[] {
  const eligible = chooser.eligible(to);
  const fit = subscriptions.filter((one) => eligible?.(one) !== false);
  const nominees = fit.map((one) => new Nominee(one));
  const notes = nominees.length === 0 ? [] : (select?.explain?.(nominees, call) ?? []);
  return subscriptions.map((subscription) => {
    const place = fit.indexOf(subscription);
    const { agent, outstanding } = nominees[place] ?? new Nominee(subscription);
    const because = hindrance(subscription.home as Worker);
    const note = notes[place];
    return {
      agent,
      outstanding,
      ...(place < 0 ? { excluded: 'to' as const } : {}),
      ...(because === undefined ? {} : { because }),
      ...(note === undefined ? {} : { note }),
    };
  });
}

function hindrance({ status, mailbox }: Worker): 'full' | 'paused' | undefined {
  if (status === 'paused') return 'paused';
  return mailbox.size >= mailbox.options.capacity ? 'full' : undefined;
}
