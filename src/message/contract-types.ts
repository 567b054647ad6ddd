import type { Message } from './message.ts';
import type { Candidates, HeadOf, KeyOfTopic, KeysOfPattern } from './pattern-types.ts';
import type { ParamsOf, TopicOf } from './template.ts';

/**
 * What a contract looks like to the type checker: the one type parameter of a bus and its agents.
 * Every payload is a schema (`typeof contract`) or simply a type.
 *
 * @example
 * ```ts
 * interface Desk {
 *   topics: { 'report.{id}.drafted': { text: string } };
 *   requests: { 'search.web': { input: { q: string }; output: string[]; chunk: string } };
 * }
 * ```
 */
export interface ContractShape {
  readonly topics?: object;
  readonly requests?: object;
  readonly state?: object;
}

/** The contract of a bus without one: any topic, payloads unknown. */
export interface AnyContract {
  readonly topics: Readonly<Record<string, unknown>>;
  readonly requests: Readonly<Record<string, RequestShape>>;
  readonly state: Readonly<Record<string, unknown>>;
}

/** What a request takes and gives, each a schema or a type; `chunk` is what a stream yields. */
export interface RequestShape {
  readonly input: unknown;
  readonly output: unknown;
  readonly chunk?: unknown;
}

/** The parts of a contract. */
export type SectionName = 'topics' | 'requests' | 'state';

type Section<C, S extends SectionName> = C extends { readonly [Name in S]: infer R } ? R : object;
type KeyIn<C, S extends SectionName> = keyof Section<C, S> & string;
type IsOpen<C, S extends SectionName> = string extends KeyIn<C, S> ? true : false;
type At<R, K> = K extends keyof R ? R[K] : never;

type InputOf<S> = S extends Typed<infer Types> ? At<NonNullable<Types>, 'input'> : S;
type OutputOf<S> = S extends Typed<infer Types> ? At<NonNullable<Types>, 'output'> : S;

/** A schema, as far as its types go. */
interface Typed<Types> {
  readonly '~standard': { readonly types?: Types };
}

/** The key of a section that a topic belongs to; `never` when none does. */
type KeyFor<C, S extends SectionName, T extends string> = KeyOfTopic<KeyIn<C, S>, T>;

/**
 * `T` when it is an address of the section; else what to show instead: for text that is not known
 * before run time the addresses there are, for a literal a sentence that says what is wrong.
 */
type AddressArg<C, S extends SectionName, T extends string> =
  IsOpen<C, S> extends true
    ? T
    : string extends T
      ? TopicOf<KeyIn<C, S>>
      : [KeyFor<C, S, T>] extends [never]
        ? UnknownAddress<Word[S], KeyIn<C, S>, T>
        : T;

interface Word {
  topics: 'topic';
  requests: 'request';
  state: 'state key';
}

type UnknownAddress<What extends string, K extends string, T extends string> = [
  Candidates<K, T>,
] extends [never]
  ? `Unknown ${What} '${T}': the contract has no ${What} that begins with '${HeadOf<T>}'`
  : `Unknown ${What} '${T}'. Did you mean '${Candidates<K, T> & string}'?`;

/** What stands at the key of an address, `unknown` where there is no contract. */
type EntryFor<C, S extends SectionName, T extends string> =
  IsOpen<C, S> extends true
    ? unknown
    : [KeyFor<C, S, T>] extends [never]
      ? unknown
      : At<Section<C, S>, KeyFor<C, S, T>>;

/** `T` if it is a topic of the contract, else a sentence that says what is wrong with it. */
export type TopicArg<C, T extends string> = AddressArg<C, 'topics', T>;

/** What a publisher gives: the input side of the topic's schema. */
export type TopicInput<C, T extends string> = InputOf<EntryFor<C, 'topics', T>>;

/** Any text at all. Beside `string & {}` or `string` editors would offer no keys. */
type AnyText = string & Record<never, never>;

/** `P` if it can match a topic of the contract, or is the library's own; else what is wrong. */
export type PatternArg<C, P extends string> =
  IsOpen<C, 'topics'> extends true
    ? P
    : string extends P
      ? KeyIn<C, 'topics'> | AnyText
      : P extends `$${string}`
        ? P
        : [KeysOfPattern<KeyIn<C, 'topics'>, P>] extends [never]
          ? `Pattern '${P}' matches no topic of the contract`
          : P;

/** The messages that a pattern can match, told apart by `family`. */
export type MessageOf<C, P extends string = string> = [
  // The compiler infers nothing into an indexed access. Without it every handler would be compared
  // with all that a pattern not yet known might give: 40 times slower with 500 families.
  Heard<C, P>,
][P extends string ? 0 : never];

type Heard<C, P extends string> =
  IsOpen<C, 'topics'> extends true
    ? Message
    : P extends `$${string}`
      ? Message
      : MessageAt<C, KeysOfPattern<KeyIn<C, 'topics'>, P>>;

/** Made by `defineContract`: the bus has its keys. A contract of types alone is gone at run time. */
interface RunTime {
  family(section: never, topic: never): unknown;
}

// Without the keys a bus cannot tell families apart, so the types do not pretend that it can.
type FamilyOf<C, K extends string> = C extends RunTime ? K : string;
type ParamsAt<C, K extends string> = C extends RunTime
  ? ParamsOf<K>
  : Readonly<Record<string, string>>;

type MessageAt<C, K extends string> = K extends string
  ? Message<OutputOf<At<Section<C, 'topics'>, K>>, FamilyOf<C, K>, ParamsAt<C, K>>
  : never;

/** `T` if it is a request of the contract, else a sentence that says what is wrong with it. */
export type RequestArg<C, T extends string> = AddressArg<C, 'requests', T>;

/** What may be served: a request of the contract, or all of a family by its key. */
export type ServeArg<C, T extends string> = T extends KeyIn<C, 'requests'> ? T : RequestArg<C, T>;

/** The topics that a responder of `T` answers: for a key those of its family. */
export type ServedTopic<C, T extends string> = T extends KeyIn<C, 'requests'> ? TopicOf<T> : T;

/** What the asker gives: the input side of the input schema. */
export type RequestInput<C, T extends string> = InputOf<RequestPart<C, T, 'input'>>;

/** What the responder sees: the output side of the input schema. */
export type RequestPayload<C, T extends string> = OutputOf<RequestPart<C, T, 'input'>>;

/** What a responder returns: the input side of the output schema. */
export type ResponderOutput<C, T extends string> = InputOf<RequestPart<C, T, 'output'>>;

/** What a responder that streams gives back: a generator, or anything else that yields chunks. */
export type ResponderStream<C, T extends string> =
  | AsyncGenerator<ResponderChunk<C, T>, ResponderOutput<C, T>, undefined>
  | Generator<ResponderChunk<C, T>, ResponderOutput<C, T>, undefined>
  | AsyncIterable<ResponderChunk<C, T>, ResponderOutput<C, T>, undefined>;

/** What the asker gets: the output side of the output schema. */
export type RequestOutput<C, T extends string> = OutputOf<RequestPart<C, T, 'output'>>;

/** What a responder yields: the input side of the chunk schema; `never` when it has none. */
export type ResponderChunk<C, T extends string> = InputOf<RequestPart<C, T, 'chunk'>>;

/** What a reader of the stream gets: the output side of the chunk schema. */
export type RequestChunk<C, T extends string> = OutputOf<RequestPart<C, T, 'chunk'>>;

type RequestPart<C, T extends string, Part extends string> =
  EntryFor<C, 'requests', T> extends infer Entry
    ? unknown extends Entry
      ? unknown
      : At<Entry, Part>
    : never;

/** The request as its responder sees it. */
export type RequestMessage<C, T extends string> =
  IsOpen<C, 'requests'> extends true
    ? Message
    : KeyFor<C, 'requests', T> extends infer K extends string
      ? Message<RequestPayload<C, T>, FamilyOf<C, K>, ParamsAt<C, K>>
      : never;

/** The contract as the state of its bus sees it: one without state keys leaves the state open. */
export type StateContract<C extends ContractShape> = [KeyIn<C, 'state'>] extends [never]
  ? AnyContract
  : C;

/** `T` if it is a state key of the contract, else a sentence that says what is wrong with it. */
export type StateKeyArg<C, T extends string> = AddressArg<C, 'state', T>;

/** The value at a state key: the output side of its schema. */
export type StateValue<C, T extends string> = OutputOf<EntryFor<C, 'state', T>>;

/** `P` if it can match a state key of the contract, else a sentence that says what is wrong. */
export type StatePatternArg<C, P extends string> =
  IsOpen<C, 'state'> extends true
    ? P
    : string extends P
      ? KeyIn<C, 'state'> | AnyText
      : [KeysOfPattern<KeyIn<C, 'state'>, P>] extends [never]
        ? `Pattern '${P}' matches no state key of the contract`
        : P;

/** The values at all state keys that a pattern can match. */
export type WatchedValue<C, P extends string> =
  IsOpen<C, 'state'> extends true ? unknown : OutputAt<C, KeysOfPattern<KeyIn<C, 'state'>, P>>;

type OutputAt<C, K extends string> = K extends string
  ? OutputOf<At<Section<C, 'state'>, K>>
  : never;

/** What a writer gives for a state key: the input side of its schema. */
export type StateInput<C, T extends string> = InputOf<EntryFor<C, 'state', T>>;
