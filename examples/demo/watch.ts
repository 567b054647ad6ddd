import { type Message, type MessageBus, Recorder } from 'tellask';
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

/** Watches the desk at work on so many `files`; nobody there knows of it or waits for it. */
export function watch(bus: MessageBus<Desk>, files: number, progress: Progress): Watch {
  showProgress(bus, files, progress);
  const incidents: Incident[] = [];
  bus.events.on('retry', ({ message, error }) => incidents.push({ topic: message.topic, error }));
  return { recorder: record(bus), incidents };
}

/** A file is done when it was reviewed for the first time, or nobody could read it. */
function showProgress(bus: MessageBus<Desk>, files: number, progress: Progress): void {
  const done = new Set<string>();
  const show = ({ params: { path = '' } }: Message) => {
    done.add(path);
    progress.update(done.size, files, 'files');
  };
  bus.tap('page.*.reviewed', show);
  bus.deadLetters.subscribe(({ message }) => {
    if (message.family === 'file.{path}.found') show(message);
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
