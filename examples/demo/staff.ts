import type { Agent, MessageBus } from 'tellask';
import { makeArchivist } from './agents/archivist.ts';
import { makePackageChecker, makePageChecker } from './agents/checker.ts';
import { makeChief } from './agents/chief.ts';
import { makeDrafters } from './agents/drafter.ts';
import { makeEditor } from './agents/editor.ts';
import { makeHerald } from './agents/herald.ts';
import { makePublisher } from './agents/publisher.ts';
import { makeReader } from './agents/reader.ts';
import { makeVerifier } from './agents/verifier.ts';
import { makeWriter, type Notes } from './agents/writer.ts';
import { PAGE_CHECKERS } from './checks/checkers.ts';
import { javascriptChecker } from './checks/javascript.ts';
import { packageChecker } from './checks/packages.ts';
import type { Desk } from './desk.ts';
import { openLibrary } from './library.ts';
import type { Person } from './person.ts';
import { pagesBelow } from './read-page.ts';
import { keepReaders, type MakeReader, type Replaced } from './readers.ts';
import { type Shielded, shield } from './shield.ts';
import { failAt, hangAt, leaveAt } from './trouble.ts';

/** Options of {@link hire}. */
export interface StaffOptions {
  /** The folder to audit. */
  readonly root: string;
  /** The folder that the report goes to. */
  readonly out: string;
  /** Who says what may be overwritten. */
  readonly person: Person;
  /** How long a reader may take for a page, in milliseconds. @default 1_000 */
  readonly readMs?: number;
  /** With which of its pages the second reader hangs. @default 2 */
  readonly hangAt?: number;
  /** With which of its pages the third reader leaves. @default 10 */
  readonly leaveAt?: number;
}

/** Whom the host deals with itself. */
export interface Staff {
  readonly scout: Agent<Desk>;
  readonly clerk: Agent<Desk>;
  /** Which readers came for others that left. */
  readonly replaced: () => readonly Replaced[];
  readonly notes: () => Notes;
  /** How the checker did that fails. */
  readonly shielded: () => Shielded;
}

// With which of its pages the JavaScript checker begins to fail, and ends.
const [FAILS_FROM, FAILS_TO] = [3, 5];

/** Gives everybody at the desk a name, a mailbox and work. */
export function hire(bus: MessageBus<Desk>, options: StaffOptions): Staff {
  const { readMs = 1_000 } = options;
  const replaced = hireReaders(bus, options);
  const shielded = hireCheckers(bus, options.root);
  const editor = bus.register('editor', { concurrency: 8, capacity: 200, overflow: 'wait' });
  makeEditor(editor, { readMs });
  makeVerifier(bus.register('verifier', { concurrency: 8 }), openLibrary(options.root));
  const chief = bus.register('chief');
  makeChief(chief, options.person);
  makePublisher(bus.register('publisher'), options.out);
  makeArchivist(bus.register('archivist'), options.out);
  makeHerald(bus.register('herald'));
  const writer = bus.register('writer');
  const notes = makeWriter(writer);
  makeDrafters(writer, chief);
  const [scout, clerk] = [bus.register('scout'), bus.register('clerk')];
  return { scout, clerk, replaced, notes, shielded };
}

/** The second one hangs, the third one leaves, and the last is for who comes in its place. */
function hireReaders(bus: MessageBus<Desk>, options: StaffOptions): Staff['replaced'] {
  const readPage = pagesBelow(options.root);
  const hanging = hangAt(options.hangAt ?? 2, readPage);
  const sound: MakeReader = (agent) => makeReader(agent, readPage);
  const hung: MakeReader = (agent) => makeReader(agent, hanging);
  const leaving: MakeReader = (agent) =>
    makeReader(agent, leaveAt(options.leaveAt ?? 10, agent, readPage));
  return keepReaders(bus, [sound, hung, leaving, sound], sound);
}

/** One of them fails on a few pages in a row, and has a breaker around it. */
function hireCheckers(bus: MessageBus<Desk>, root: string): () => Shielded {
  const library = openLibrary(root);
  const { checker: shielded, report } = shield(
    javascriptChecker,
    failAt(FAILS_FROM, FAILS_TO, javascriptChecker),
  );
  for (const one of PAGE_CHECKERS) {
    const checker = one === javascriptChecker ? shielded : one;
    const agent = bus.register(checker.name, { concurrency: 2, capacity: 100, overflow: 'wait' });
    makePageChecker(agent, checker, library);
  }
  makePackageChecker(bus.register(packageChecker.name), packageChecker, library);
  return report;
}
