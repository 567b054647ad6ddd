import { type MessageBus, Recorder } from 'tellask';
import { PAGE_CHECKERS } from './checks/checkers.ts';
import type { Desk } from './desk.ts';
import type { Progress } from './progress.ts';

/** A try to have a page read that failed and was made again. */
export interface Incident {
  readonly topic: string;
  readonly error: unknown;
}

/** What was seen of the work from outside. */
export interface Watch {
  readonly recorder: Recorder;
  readonly incidents: readonly Incident[];
}

/** Watches the desk at work; nobody there knows of it or waits for it. */
export function watch(bus: MessageBus<Desk>, progress: Progress): Watch {
  showProgress(bus, progress);
  const incidents: Incident[] = [];
  bus.events.on('retry', ({ message, error }) => incidents.push({ topic: message.topic, error }));
  return { recorder: record(bus), incidents };
}

/** Every page is reviewed once for each of its checkers, every package once. */
function showProgress(bus: MessageBus<Desk>, progress: Progress): void {
  let done = 0;
  let total = 0;
  const show = (more: { readonly done?: number; readonly total?: number }) => {
    done += more.done ?? 0;
    total += more.total ?? 0;
    progress.update(done, total, 'checks');
  };
  bus.tap('file.*.found', () => show({ total: PAGE_CHECKERS.length }));
  bus.tap('package.*.found', () => show({ total: 1 }));
  bus.tap('page.*.reviewed', () => show({ done: 1 }));
  bus.deadLetters.subscribe(({ message }) => {
    if (message.family === 'file.{path}.found') show({ total: -PAGE_CHECKERS.length });
  });
}

function record(bus: MessageBus<Desk>): Recorder {
  const recorder = new Recorder({ limit: 100_000 });
  bus.tap('**', recorder.observe);
  bus.events.on('expired', ({ message }) => recorder.settle(message.seq, 'expired'));
  bus.events.on('dead-lettered', ({ message, reason }) =>
    recorder.settle(message.seq, `dead-lettered(${reason})`),
  );
  return recorder;
}
