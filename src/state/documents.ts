import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { topic as keyOf } from '../message/template.ts';
import type { StateEntry, StateVersion } from './entry.ts';
import { StateNotFoundError } from './errors.ts';
import type { AnyStateView } from './state-manager.ts';
import type { StateView } from './state-view.ts';

/** What a document is about: given when it is created. */
export interface DocumentBrief {
  readonly topic: string;
  /** What it has to fulfil. @default none */
  readonly requirements?: readonly string[];
  /** What those who write it should know, as JSON. @default {} */
  readonly context?: unknown;
}

/** The value at `document.{id}`. */
export interface DocumentState<Content = string> {
  readonly topic: string;
  readonly requirements: readonly string[];
  readonly context: unknown;
  /** `null` until somebody has written it. */
  readonly content: Content | null;
  /** What is noted about it. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Documents in a state; see {@link documents}. */
export interface Documents<Content = string> {
  /**
   * Makes a document without content.
   *
   * @throws StateExistsError `TELLASK_STATE_EXISTS`
   */
  createDocument(id: string, brief: DocumentBrief): StateEntry<DocumentState<Content>>;
  /** The document; `undefined` when there is none. */
  getDocument(id: string): StateEntry<DocumentState<Content>> | undefined;
  /**
   * Writes the content, whoever has written it before; with `expectedVersion` only over that
   * version of the document.
   *
   * @throws StateNotFoundError `TELLASK_STATE_NOT_FOUND`, StateConflictError
   *   `TELLASK_STATE_CONFLICT`
   */
  updateContent(
    id: string,
    content: Content,
    options?: UpdateContentOptions,
  ): StateEntry<DocumentState<Content>>;
  /**
   * Notes something about it: what is given is added, and `null` takes a note away.
   *
   * @throws StateNotFoundError `TELLASK_STATE_NOT_FOUND`
   */
  updateMetadata(
    id: string,
    notes: Readonly<Record<string, unknown>>,
  ): StateEntry<DocumentState<Content>>;
  /** Its versions that are kept, oldest first, each with who wrote it when and because of what. */
  history(id: string): readonly StateVersion<DocumentState<Content>>[];
}

/** Options of `updateContent`. */
export interface UpdateContentOptions {
  /** The version of the document that the writer has seen. @default any */
  readonly expectedVersion?: number;
}

const UPDATE_OPTIONS: ReadonlySet<string> = new Set<keyof UpdateContentOptions>([
  'expectedVersion',
]);
const BRIEF: ReadonlySet<string> = new Set<keyof DocumentBrief>([
  'topic',
  'requirements',
  'context',
]);

/**
 * Documents at the keys `document.{id}` of a state, as whoever holds the view: they are values like
 * any other, so they can be watched, locked, reverted and written in a transaction. A contract has
 * to name the key.
 *
 * @example
 * ```ts
 * import { documents, StateManager } from 'tellask';
 * const state = new StateManager();
 * documents(state).createDocument('7', { topic: 'Tea', requirements: ['short'] });
 * const { version } = documents(state.as('writer')).updateContent('7', 'Tea is a drink.');
 * documents(state.as('editor')).updateContent('7', 'Tea warms.', { expectedVersion: version });
 * documents(state).history('7').map(({ actor, value }) => `${actor}: ${value?.content}`);
 * // => ['$host: null', 'writer: Tea is a drink.', 'editor: Tea warms.']
 * ```
 */
export function documents<Content = string>(view: AnyStateView): Documents<Content> {
  return new StateDocuments<Content>(view as StateView);
}

class StateDocuments<Content> implements Documents<Content> {
  readonly #view: StateView;

  constructor(view: StateView) {
    this.#view = view;
  }

  createDocument(id: string, brief: DocumentBrief): StateEntry<DocumentState<Content>> {
    checkBrief(brief);
    const { topic, requirements = [], context = {} } = brief;
    const document = { topic, requirements, context, content: null, metadata: {} };
    return this.#view.create(keyFor(id), document) as StateEntry<DocumentState<Content>>;
  }

  getDocument(id: string): StateEntry<DocumentState<Content>> | undefined {
    return this.#view.get(keyFor(id)) as StateEntry<DocumentState<Content>> | undefined;
  }

  updateContent(
    id: string,
    content: Content,
    options: UpdateContentOptions = {},
  ): StateEntry<DocumentState<Content>> {
    refuseUnknown(options, UPDATE_OPTIONS, 'updateContent');
    const { expectedVersion } = options;
    if (expectedVersion === undefined) return this.#update(id, (was) => ({ ...was, content }));
    // Of another version than the one that is there nothing is written, whatever it was.
    const current = this.#view.get(keyFor(id));
    if (current === undefined) throw new StateNotFoundError(keyFor(id));
    const made = { ...(current.value as DocumentState<Content>), content };
    const written = this.#view.compareAndSet(keyFor(id), expectedVersion, made);
    return written as StateEntry<DocumentState<Content>>;
  }

  updateMetadata(
    id: string,
    notes: Readonly<Record<string, unknown>>,
  ): StateEntry<DocumentState<Content>> {
    if (typeof notes !== 'object' || notes === null || Array.isArray(notes)) {
      throw misuse('The notes', 'an object', notes);
    }
    return this.#update(id, (was) => {
      const all = Object.entries({ ...was.metadata, ...notes });
      return { ...was, metadata: Object.fromEntries(all.filter(([, note]) => note !== null)) };
    });
  }

  history(id: string): readonly StateVersion<DocumentState<Content>>[] {
    return this.#view.history(keyFor(id)) as readonly StateVersion<DocumentState<Content>>[];
  }

  #update(
    id: string,
    fn: (was: DocumentState<Content>) => DocumentState<Content>,
  ): StateEntry<DocumentState<Content>> {
    const written = this.#view.update(keyFor(id), (was) => fn(was as DocumentState<Content>));
    return written as StateEntry<DocumentState<Content>>;
  }
}

function keyFor(id: string): string {
  if (typeof id !== 'string' || id === '') throw misuse('The id of a document', 'a text', id);
  return keyOf('document.{id}', { id });
}

function checkBrief(brief: DocumentBrief): void {
  if (typeof brief !== 'object' || brief === null) {
    throw misuse('What a document is about', 'an object with topic', brief);
  }
  refuseUnknown(brief, BRIEF, 'createDocument');
  const { topic, requirements } = brief;
  if (typeof topic !== 'string') throw misuse('topic', 'a string', topic);
  if (requirements === undefined) return;
  if (!Array.isArray(requirements) || !requirements.every((one) => typeof one === 'string')) {
    throw misuse('requirements', 'a list of strings', requirements);
  }
}
