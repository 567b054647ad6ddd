import type { Agent, MessageBus } from 'tellask';
import { makePackageChecker, makePageChecker } from './agents/checker.ts';
import { makeEditor } from './agents/editor.ts';
import { makeReader } from './agents/reader.ts';
import { makeVerifier } from './agents/verifier.ts';
import { makeWriter, type Notes } from './agents/writer.ts';
import { PAGE_CHECKERS } from './checks/checkers.ts';
import { packageChecker } from './checks/packages.ts';
import type { Desk } from './desk.ts';
import { openLibrary } from './library.ts';
import { pagesBelow } from './read-page.ts';
import { hangAt, leaveAt } from './trouble.ts';

/** Options of {@link hire}. */
export interface StaffOptions {
  readonly root: string;
  /** How long a reader may take for a page, in milliseconds. */
  readonly readMs: number;
  /** With which of its pages the second reader hangs. */
  readonly hangAt: number;
  /** With which of its pages the third reader leaves. */
  readonly leaveAt: number;
}

/** Whom the host deals with itself. */
export interface Staff {
  readonly scout: Agent<Desk>;
  readonly notes: () => Notes;
}

/** Gives everybody at the desk a name, a mailbox and work. */
export function hire(bus: MessageBus<Desk>, options: StaffOptions): Staff {
  hireReaders(bus, options);
  hireCheckers(bus, options.root);
  makeEditor(bus.register('editor', { concurrency: 8, capacity: 200, overflow: 'wait' }), options);
  makeVerifier(bus.register('verifier', { concurrency: 8 }), openLibrary(options.root));
  return { scout: bus.register('scout'), notes: makeWriter(bus.register('writer')) };
}

function hireReaders(bus: MessageBus<Desk>, options: StaffOptions): void {
  const readPage = pagesBelow(options.root);
  makeReader(bus.register('reader-1'), readPage);
  makeReader(bus.register('reader-2'), hangAt(options.hangAt, readPage));
  const leaver = bus.register('reader-3');
  makeReader(leaver, leaveAt(options.leaveAt, leaver, readPage));
  makeReader(bus.register('reader-4'), readPage);
}

function hireCheckers(bus: MessageBus<Desk>, root: string): void {
  const library = openLibrary(root);
  for (const checker of PAGE_CHECKERS) {
    const agent = bus.register(checker.name, { concurrency: 2, capacity: 100, overflow: 'wait' });
    makePageChecker(agent, checker, library);
  }
  makePackageChecker(bus.register(packageChecker.name), packageChecker, library);
}
