import type { TopicOf } from './template.ts';

/**
 * The grammar of topics and patterns, as far as the type checker follows it. Keys are sorted by
 * their first segment once per contract, then filtered by a template-literal type, and only what is
 * left is matched segment by segment: 500 keys against 100 patterns take less than a second.
 */

/** The segments of a topic, key or pattern. */
type Segments<T extends string> = T extends `${infer Head}.${infer Rest}`
  ? [Head, ...Segments<Rest>]
  : [T];

/** The first segment. */
export type HeadOf<T extends string> = T extends `${infer Head}.${string}` ? Head : T;

/** Keys by their first segment; those that begin with a parameter stand under `*`. */
type ByHead<K extends string> = {
  [Key in K as HeadOf<Key> extends `{${string}` ? '*' : HeadOf<Key>]: Key;
};

type Lookup<Index, Head extends string> =
  | (Head extends keyof Index ? Index[Head] : never)
  | ('*' extends keyof Index ? Index['*'] : never);

/** The keys that share the first segment of `T`, or all when that is a wildcard. */
export type Candidates<K extends string, T extends string> =
  HeadOf<T> extends `${string}${Wild}${string}` ? K : Lookup<ByHead<K>, HeadOf<T>>;

type Wild = '*' | '?';

/** Characters that no topic has. */
type Forbidden = ' ' | '*' | '?' | '[' | ']' | '{' | '}' | '(' | ')' | '\\' | '>' | '!' | '|' | '/';

/** The key of the contract that a topic belongs to: itself, else the template that fits. */
export type KeyOfTopic<K extends string, T extends string> = T extends `${string}{${string}`
  ? never
  : T extends K
    ? T
    : TemplateOfTopic<Lookup<ByHead<K>, HeadOf<T>>, T>;

type TemplateOfTopic<K, T extends string> = K extends string
  ? T extends TopicOf<K>
    ? Fits<Segments<T>, Segments<K>> extends true
      ? K
      : never
    : never
  : never;

/** Whether a topic's segments are those of a template, one for one. */
type Fits<T extends string[], K extends string[]> = T extends [
  infer TopicHead extends string,
  ...infer TopicRest extends string[],
]
  ? K extends [infer KeyHead extends string, ...infer KeyRest extends string[]]
    ? FitsSegment<TopicHead, KeyHead> extends true
      ? Fits<TopicRest, KeyRest>
      : false
    : false
  : K extends []
    ? true
    : false;

type FitsSegment<T extends string, K extends string> = K extends `{${string}}`
  ? T extends '' | `${string}${Forbidden}${string}`
    ? false
    : true
  : T extends K
    ? true
    : false;

/** The keys that a pattern can match at least one topic of. */
export type KeysOfPattern<K extends string, P extends string> = string extends P
  ? K
  : KeysOfPlain<K, Alternatives<Modelled<P>>>;

/**
 * Distributes over the alternatives of a pattern, none of which has a brace left. The candidates
 * get a name (`infer`), since the compiler would else expand them for a pattern not known yet.
 */
type KeysOfPlain<K extends string, P extends string> = P extends string
  ? P extends K
    ? P
    : Candidates<K, P> extends infer Candidate
      ? Matching<Candidate, PatternShape<P>, Segments<P>>
      : never
  : never;

type Matching<K, Shape extends string, P extends string[]> = K extends `${string}{${string}`
  ? Matches<P, Segments<K>> extends true
    ? K
    : never
  : K extends Shape
    ? Matches<P, Segments<K>> extends true
      ? K
      : never
    : never;

/** What topics of a pattern look like, as a superset that is cheap to compare with. */
type PatternShape<P extends string> = P extends `${infer A}**.**${infer B}`
  ? PatternShape<`${A}**${B}`>
  : P extends `${infer A}.**${infer B}`
    ? PatternShape<`${A}*${B}`>
    : P extends `**.${infer B}`
      ? PatternShape<`*${B}`>
      : P extends `${infer A}?${infer B}`
        ? PatternShape<`${A}*${B}`>
        : AnyText<P>;

// Of two placeholders side by side the first must take a character, so stars in a row become one.
type AnyText<P extends string> = P extends `${infer A}*${infer B}`
  ? `${A}${string}${AnyText<WithoutStars<B>>}`
  : P;

type WithoutStars<P extends string> = P extends `*${infer Rest}` ? WithoutStars<Rest> : P;

/** Whether a pattern's segments can be those of a topic of the key. */
type Matches<P extends string[], K extends string[]> = P extends [
  infer Head extends string,
  ...infer Rest extends string[],
]
  ? Head extends '**'
    ? Matches<Rest, K> extends true
      ? true
      : K extends [string, ...infer KeyRest extends string[]]
        ? Matches<P, KeyRest>
        : false
    : K extends [infer KeyHead extends string, ...infer KeyRest extends string[]]
      ? MatchesSegment<Head, KeyHead> extends true
        ? Matches<Rest, KeyRest>
        : false
      : false
  : K extends []
    ? true
    : false;

type MatchesSegment<P extends string, K extends string> = P extends '*' | K
  ? true
  : K extends `{${string}}`
    ? true
    : P extends `${string}${'*' | '?'}${string}`
      ? MatchesGlob<P, K>
      : false;

/** A glob inside one segment, character by character; segments are short. */
type MatchesGlob<P extends string, K extends string> = P extends `*${infer Rest}`
  ? MatchesGlob<Rest, K> extends true
    ? true
    : K extends `${infer _}${infer KeyRest}`
      ? MatchesGlob<P, KeyRest>
      : false
  : P extends `${infer Head}${infer Rest}`
    ? K extends `${infer KeyHead}${infer KeyRest}`
      ? Head extends '?' | KeyHead
        ? MatchesGlob<Rest, KeyRest>
        : false
      : false
    : K extends ''
      ? true
      : false;

/**
 * The pattern, cut off where syntax begins that is not modelled here (classes, negations, escapes):
 * such a pattern gives every key that begins alike.
 */
type Modelled<P extends string> = P extends `${string}${'[' | '!(' | '\\'}${string}`
  ? `${Before<Before<Before<Before<P, '['>, '!('>, '\\'>, '{'>}*.**`
  : P;

type Before<P extends string, Sign extends string> = P extends `${infer A}${Sign}${string}` ? A : P;

/** The alternatives that the braces of a pattern stand for; `{name}` is any one segment. */
type Alternatives<P extends string> = P extends `${infer A}{${infer Inside}}${infer B}`
  ? Inside extends `${string}${'{' | '..'}${string}`
    ? `${A}*.**`
    : `${A}${Inside extends `${string},${string}` ? Items<Inside> : '*'}${Alternatives<B>}`
  : P;

type Items<T extends string> = T extends `${infer Head},${infer Rest}` ? Head | Items<Rest> : T;
